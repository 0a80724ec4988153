/* A stream of bytes, compressed as layers travel: gzip (RFC 1952), zstd (RFC 8878), or not at all. */
#pragma once
#include "util.h"

enum pack_format { PACK_NONE, PACK_GZIP, PACK_ZSTD };

struct pack;

/* The format of a name (none, gzip, zstd); -EINVAL for others. */
int pack_format_parse(const char *name, enum pack_format *ret);
/*
 * Starts writing to `fd` (borrowed). `level` is the format's own (gzip 1 to 9, zstd 1 to 19), 0 its default. The same bytes in give the
 * same bytes out, with no time and no name in them: what was cut off can be made again. -EINVAL for a level that is none.
 */
int pack_open(int fd, enum pack_format format, int level, struct pack **ret, struct err *err);
/* Compresses and writes; -EPIPE and others of write(2). */
int pack_write(struct pack *pack, const void *bytes, size_t len, struct err *err);
/* Writes what is left and the end mark. Nothing may be written after it. */
int pack_finish(struct pack *pack, struct err *err);
void pack_free(struct pack *pack);
