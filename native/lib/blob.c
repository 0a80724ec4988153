/* A layer's bytes as they come, decompressed: see blob.h. */
#include "blob.h"

#include <poll.h>
#include <zlib.h>
#include <zstd.h>

#include "igzip.h"

enum { IN_SIZE = 128 * 1024, MAGIC = 6 };
enum format { PLAIN, GZIP, IGZIP, ZSTD };

struct blob {
  int fd, stop;
  enum format format;
  bool eof;     /* fd has no more */
  bool between; /* at a place where the stream may end: after a member or frame */
  uint64_t used;
  size_t pos, len; /* what is unread in `in` */
  z_stream z;
  ZSTD_DStream *zstd;
  struct igzip *igzip; /* has all that was read, and reads on */
  uint8_t in[IN_SIZE];
};

/* Reads more behind what is unread in `in`; sets eof at the end. */
static int refill(struct blob *b, struct err *err) {
  if (b->pos == b->len) b->pos = b->len = 0;
  for (;;) {
    struct pollfd p[2] = {{.fd = b->fd, .events = POLLIN}, {.fd = b->stop, .events = POLLIN}};
    if (poll(p, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return err_set(err, errno, "read", "the layer");
    }
    if (p[1].revents) return err_set(err, EINTR, "read", "the layer");
    ssize_t n = read(b->fd, b->in + b->len, IN_SIZE - b->len);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return err_set(err, errno, "read", "the layer");
    b->eof = n == 0;
    b->len += (size_t)n;
    b->used += (uint64_t)n;
    return 0;
  }
}

static bool starts(const struct blob *b, const char *magic, size_t n) {
  return b->len >= n && !memcmp(b->in, magic, n);
}

/* 0x184D2A50 to …5F, little endian: frames to skip, which zstd:chunked layers have (RFC 8878, 3.1.2). */
static bool starts_skippable(const struct blob *b) {
  return b->len >= 4 && (b->in[0] & 0xf0) == 0x50 && !memcmp(b->in + 1, "\x2a\x4d\x18", 3);
}

/* gzip, by the fastest there is. What is small is done before a process has started. */
static int open_gzip(struct blob *b, struct err *err) {
  while (!b->eof && b->len < IN_SIZE) {
    int r = refill(b, err);
    if (r < 0) return r;
  }
  if (!b->eof && igzip_open(b->in, b->len, b->fd, b->stop, &b->igzip) == 0) {
    b->format = IGZIP;
    return 0;
  }
  b->format = GZIP;
  return inflateInit2(&b->z, 15 + 16) == Z_OK ? 0 : err_set(err, ENOMEM, "gzip", "%s", "");
}

static int recognise(struct blob *b, struct err *err) {
  while (!b->eof && b->len < MAGIC) {
    int r = refill(b, err);
    if (r < 0) return r;
  }
  const char *refused = starts(b, "BZh", 3) ? "bzip2"
                        : starts(b,
                                 "\xfd"
                                 "7zXZ\0",
                                 6)
                            ? "xz"
                        : starts(b, "\x04\x22\x4d\x18", 4) ? "lz4"
                                                           : NULL;
  if (refused) return err_set(err, EPROTONOSUPPORT, "format", "a layer compressed with %s", refused);
  if (starts(b, "\x1f\x8b", 2)) {
    return open_gzip(b, err);
  } else if (starts(b, "\x28\xb5\x2f\xfd", 4) || starts_skippable(b)) {
    b->format = ZSTD;
    b->zstd = ZSTD_createDStream();
    if (!b->zstd) return err_set(err, ENOMEM, "zstd", "%s", "");
  } else if (b->len == 0) {
    return err_set(err, 0, "read", "the layer is empty: not even an end-of-archive mark");
  }
  return 0;
}

int blob_open(int fd, int stop, struct blob **ret, struct err *err) {
  struct blob *b = malloc(sizeof *b);
  if (!b) return err_set(err, ENOMEM, "read", "the layer");
  memset(b, 0, offsetof(struct blob, in));
  b->fd = fd;
  b->stop = stop;
  int r = recognise(b, err);
  if (r < 0)
    blob_free(b);
  else
    *ret = b;
  return r;
}

static int corrupt(struct err *err, const char *step, const char *why) {
  return err_set(err, 0, step, "%s", why), -EBADMSG;
}

/* One call of zlib. Adds to *done what came out. */
static int step_gzip(struct blob *b, uint8_t *out, size_t len, size_t *done, struct err *err) {
  if (b->between && inflateReset(&b->z) != Z_OK) return corrupt(err, "gzip", "cannot start the next member");
  b->z.next_in = b->in + b->pos;
  b->z.avail_in = (uInt)(b->len - b->pos);
  b->z.next_out = out;
  b->z.avail_out = (uInt)len;
  int r = inflate(&b->z, Z_NO_FLUSH);
  b->pos = b->len - b->z.avail_in;
  *done += len - b->z.avail_out;
  if (r == Z_MEM_ERROR) return err_set(err, ENOMEM, "gzip", "%s", "");
  if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR) return corrupt(err, "gzip", b->z.msg ? b->z.msg : "corrupt data");
  b->between = r == Z_STREAM_END;
  return 0;
}

static int step_zstd(struct blob *b, uint8_t *out, size_t len, size_t *done, struct err *err) {
  ZSTD_inBuffer in = {.src = b->in, .size = b->len, .pos = b->pos};
  ZSTD_outBuffer to = {.dst = out, .size = len};
  size_t r = ZSTD_decompressStream(b->zstd, &to, &in);
  b->pos = in.pos;
  *done += to.pos;
  if (ZSTD_isError(r)) return corrupt(err, "zstd", ZSTD_getErrorName(r));
  b->between = r == 0;
  return 0;
}

static int step_plain(struct blob *b, uint8_t *out, size_t len, size_t *done) {
  size_t n = b->len - b->pos < len ? b->len - b->pos : len;
  memcpy(out, b->in + b->pos, n);
  b->pos += n;
  *done += n;
  b->between = true;
  return 0;
}

ssize_t blob_read(struct blob *b, void *buf, size_t len, struct err *err) {
  size_t done = 0;
  if (b->igzip) return igzip_read(b->igzip, buf, len, err);
  while (done < len) {
    if (b->pos == b->len && !b->eof) {
      int r = refill(b, err);
      if (r < 0) return r;
      continue;
    }
    /* A decompressor may hold output back when `buf` was full, so its input's end alone is not the stream's. */
    if (b->pos == b->len && (b->between || b->format == PLAIN)) break;
    size_t before = done;
    uint8_t *out = (uint8_t *)buf + done;
    int r = b->format == GZIP   ? step_gzip(b, out, len - done, &done, err)
            : b->format == ZSTD ? step_zstd(b, out, len - done, &done, err)
                                : step_plain(b, out, len - done, &done);
    if (r < 0) return r;
    if (done == before && b->pos == b->len && b->eof && !b->between)
      return corrupt(err, b->format == GZIP ? "gzip" : "zstd", "the layer is cut off");
  }
  return (ssize_t)done;
}

uint64_t blob_used(const struct blob *b) {
  return b->igzip ? igzip_used(b->igzip) : b->used;
}

void blob_free(struct blob *b) {
  if (!b) return;
  if (b->format == GZIP) inflateEnd(&b->z);
  ZSTD_freeDStream(b->zstd);
  igzip_free(b->igzip);
  free(b);
}
