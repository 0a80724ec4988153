/* A stream of bytes, compressed as layers travel: see pack.h. */
#include "pack.h"

#include <zlib.h>
#include <zstd.h>

enum { OUT_SIZE = 256 * 1024, GZIP_MAX = 9, ZSTD_MAX = 19 };

struct pack {
  int fd;
  enum pack_format format;
  z_stream z;
  ZSTD_CCtx *zstd;
  uint8_t out[OUT_SIZE];
};

int pack_format_parse(const char *name, enum pack_format *ret) {
  static const char *const names[] = {[PACK_NONE] = "none", [PACK_GZIP] = "gzip", [PACK_ZSTD] = "zstd"};
  for (size_t i = 0; i < N_ELEMENTS(names); i++)
    if (!strcmp(name, names[i])) {
      *ret = (enum pack_format)i;
      return 0;
    }
  return -EINVAL;
}

static int start_zstd(struct pack *p, int level, struct err *err) {
  p->zstd = ZSTD_createCCtx();
  if (!p->zstd) return err_set(err, ENOMEM, "zstd", "%s", "");
  /* A checksum of four bytes: a reader without our digests sees damage too. */
  if (ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_compressionLevel, level ? level : ZSTD_CLEVEL_DEFAULT)) ||
      ZSTD_isError(ZSTD_CCtx_setParameter(p->zstd, ZSTD_c_checksumFlag, 1)))
    return err_set(err, EINVAL, "zstd", "level %d", level);
  return 0;
}

int pack_open(int fd, enum pack_format format, int level, struct pack **ret, struct err *err) {
  int max = format == PACK_GZIP ? GZIP_MAX : format == PACK_ZSTD ? ZSTD_MAX : 0;
  if (level < 0 || level > max) return err_set(err, EINVAL, "level", "%d is not from 1 to %d", level, max);
  struct pack *p = malloc(sizeof *p);
  if (!p) return err_set(err, ENOMEM, "pack", "%s", "");
  memset(p, 0, offsetof(struct pack, out));
  p->fd = fd;
  p->format = format;
  int r = 0;
  /* 16: gzip's head and tail, which zlib leaves without time and name. */
  if (format == PACK_GZIP &&
      deflateInit2(&p->z, level ? level : Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    p->format = PACK_NONE;
    r = err_set(err, ENOMEM, "gzip", "%s", "");
  }
  if (format == PACK_ZSTD) r = start_zstd(p, level, err);
  if (r < 0)
    pack_free(p);
  else
    *ret = p;
  return r;
}

static int put(struct pack *p, const void *bytes, size_t len, struct err *err) {
  int r = len > 0 ? write_all(p->fd, bytes, len) : 0;
  return r < 0 ? err_set(err, -r, "write", "%s", "") : 0;
}

static int feed_gzip(struct pack *p, const void *bytes, size_t len, int flush, struct err *err) {
  p->z.next_in = (Bytef *)(uintptr_t)bytes;
  p->z.avail_in = (uInt)len;
  for (;;) {
    p->z.next_out = p->out;
    p->z.avail_out = OUT_SIZE;
    int z = deflate(&p->z, flush);
    if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR) return err_set(err, 0, "gzip", "%s", p->z.msg ? p->z.msg : "failed"), -EIO;
    int r = put(p, p->out, OUT_SIZE - p->z.avail_out, err);
    if (r < 0) return r;
    if (p->z.avail_out > 0) return 0;
  }
}

static int feed_zstd(struct pack *p, const void *bytes, size_t len, ZSTD_EndDirective end, struct err *err) {
  ZSTD_inBuffer in = {.src = bytes, .size = len};
  for (;;) {
    ZSTD_outBuffer out = {.dst = p->out, .size = OUT_SIZE};
    size_t left = ZSTD_compressStream2(p->zstd, &out, &in, end);
    if (ZSTD_isError(left)) return err_set(err, 0, "zstd", "%s", ZSTD_getErrorName(left)), -EIO;
    int r = put(p, p->out, out.pos, err);
    if (r < 0) return r;
    if (end == ZSTD_e_end ? left == 0 : in.pos == in.size) return 0;
  }
}

int pack_write(struct pack *p, const void *bytes, size_t len, struct err *err) {
  switch (p->format) {
    case PACK_GZIP:
      return feed_gzip(p, bytes, len, Z_NO_FLUSH, err);
    case PACK_ZSTD:
      return feed_zstd(p, bytes, len, ZSTD_e_continue, err);
    default:
      return put(p, bytes, len, err);
  }
}

int pack_finish(struct pack *p, struct err *err) {
  switch (p->format) {
    case PACK_GZIP:
      return feed_gzip(p, "", 0, Z_FINISH, err);
    case PACK_ZSTD:
      return feed_zstd(p, "", 0, ZSTD_e_end, err);
    default:
      return 0;
  }
}

void pack_free(struct pack *p) {
  if (!p) return;
  if (p->format == PACK_GZIP) deflateEnd(&p->z);
  ZSTD_freeCCtx(p->zstd);
  free(p);
}
