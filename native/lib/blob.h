/* A layer's bytes as they come (plain tar, gzip or zstd, recognised by content), decompressed. */
#pragma once
#include "util.h"

struct blob;

/*
 * Starts reading from `fd` (borrowed). `stop` is a descriptor that becomes readable when reading must end (-EINTR), or -1.
 * The format is known by its first bytes only: media types of registries are not always true.
 * -EPROTONOSUPPORT, with the name, for compressions that layers may not have (bzip2, xz, lz4).
 */
int blob_open(int fd, int stop, struct blob **ret, struct err *err);
/*
 * Fills `buf` with up to `len` decompressed bytes; less only at the end, 0 after it. Several gzip members or zstd frames
 * are one stream, as RFC 1952 and RFC 8878 say. -EBADMSG for corrupt and for cut off data, and for bytes behind the last member.
 */
ssize_t blob_read(struct blob *blob, void *buf, size_t len, struct err *err);
/* How many bytes of `fd` were used so far. */
uint64_t blob_used(const struct blob *blob);
void blob_free(struct blob *blob);
