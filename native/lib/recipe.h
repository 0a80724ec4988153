/*
 * A layer's recipe: what is needed, beside the unpacked files, to make its very tar again, byte for byte.
 *
 * Compressed layers are not kept, and no tar made of a folder has the digest of the one it came from: order, padding, header dialects and
 * pax records differ. So unpacking writes down all of the stream that did not become a file's content (headers, padding, the end), and for
 * the rest which file it became; gzip makes that small, as headers are much alike. repack.h puts it together again.
 *
 * The file, gzip: RECIPE_MAGIC, then records of one letter and numbers in LEB128: `L` length, bytes: as they are; `F` length, path: of
 * which file the next contents are; `D` offset, length: that part of the file; `E`: the end, nothing after it.
 */
#pragma once
#include "util.h"

#define RECIPE_MAGIC "podgen layer recipe 1\n"
/* Of a record's bytes or path; longer pieces are several records. */
enum { RECIPE_PIECE = 1 << 20 };

struct recipe;

/* Starts writing to `fd`, an empty file (taken over, also when it fails). */
int recipe_new(int fd, struct recipe **ret, struct err *err);
/* The next block of the stream, valid until the next call (stream_tap): what of it is not claimed by recipe_data until then is kept as it
 * is. */
void recipe_block(void *recipe, const void *bytes, size_t len);
/*
 * `len` bytes were written to the file `path` at `offset`. Where `bytes` are part of the present block, as they are unless a reader made a
 * copy, they are not kept but looked for there.
 */
void recipe_data(struct recipe *recipe, const char *path, const void *bytes, size_t len, int64_t offset);
/* Writes the end. What went wrong before is told here, too. */
int recipe_finish(struct recipe *recipe, struct err *err);
void recipe_free(struct recipe *recipe);
