/* A layer's uncompressed bytes in blocks, decompressed by a thread of their own, hashed, counted and limited. */
#pragma once
#include "util.h"

struct stream_limits {
  uint64_t bytes; /* uncompressed bytes of the whole stream */
  uint64_t ratio; /* uncompressed to compressed; looked at only beyond STREAM_RATIO_FREE */
};
/* So much may come out of a blob of any size: an honest small layer of zeros packs a thousandfold. */
#define STREAM_RATIO_FREE ((uint64_t)1 << 30)

struct stream;

/*
 * Starts the thread, so every setns and unshare must be done. `fd` and `stop` are borrowed: see blob_open.
 * On success free with stream_free.
 */
int stream_open(int fd, int stop, const struct stream_limits *limits, struct stream **ret, struct err *err);
/* Has `tap` told of every block as it is handed out, also of those that only stream_finish reads, and with NULL when it ends to be valid.
 */
void stream_tap(struct stream *stream, void (*tap)(void *arg, const void *bytes, size_t len), void *arg);
/* The next block, valid until the next call; 0 at the end. -E2BIG beyond a limit; else errors of blob_read. Errors stay. */
ssize_t stream_next(struct stream *stream, const void **ret, struct err *err);
/* Hashes the rest of the stream, what stands behind the tar's end too, and gives "sha256:…" (72 bytes) and the length of all of it. */
int stream_finish(struct stream *stream, char digest[72], uint64_t *size, struct err *err);
/* Ends the thread (by its `stop` as well as by itself) and frees. */
void stream_free(struct stream *stream);
