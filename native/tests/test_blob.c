/* Decompression: formats by content, several members, every cut and every flipped byte is an error or gives other bytes. */
#include "lib/blob.h"

#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#include "expect.h"

static const char text[] = "the quick brown fox jumps over the lazy dog, again and again and again and again";

/* Decompresses bytes through a memfd; the length, or a negative errno. */
static ssize_t run(const void *bytes, size_t len, char *out, size_t size) {
  cleanup_fd int fd = memfd_create("blob", MFD_CLOEXEC);
  struct blob *blob = NULL;
  struct err err = {0};
  if (fd < 0 || write_all(fd, bytes, len) < 0 || lseek(fd, 0, SEEK_SET) < 0) return -EIO;
  ssize_t n = blob_open(fd, -1, &blob, &err);
  if (n == 0) n = blob_read(blob, out, size, &err);
  if (n < 0) EXPECT(err.step[0]);
  blob_free(n < 0 && !blob ? NULL : blob);
  return n;
}

static size_t pack_gzip(const void *in, size_t len, unsigned char *out, size_t size) {
  z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)len, .next_out = out, .avail_out = (uInt)size};
  EXPECT(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  EXPECT(deflate(&z, Z_FINISH) == Z_STREAM_END);
  deflateEnd(&z);
  return size - z.avail_out;
}

static size_t pack_zstd(const void *in, size_t len, unsigned char *out, size_t size) {
  ZSTD_CCtx *c = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
  size_t n = ZSTD_compress2(c, out, size, in, len);
  ZSTD_freeCCtx(c);
  EXPECT(!ZSTD_isError(n));
  return n;
}

static void test_packed(size_t (*pack)(const void *, size_t, unsigned char *, size_t)) {
  unsigned char packed[1024];
  char out[1024];
  size_t len = pack(text, sizeof text, packed, sizeof packed);
  EXPECT(run(packed, len, out, sizeof out) == sizeof text && !memcmp(out, text, sizeof text));
  /* A second member or frame goes on with the stream. */
  size_t two = len + pack("more", 4, packed + len, sizeof packed - len);
  EXPECT(run(packed, two, out, sizeof out) == sizeof text + 4 && !memcmp(out + sizeof text, "more", 4));
  for (size_t cut = 7; cut < len; cut++) EXPECT(run(packed, cut, out, sizeof out) == -EBADMSG);
  EXPECT(run(packed, len + 5, out, sizeof out) == -EBADMSG);
  for (size_t i = 0; i < len; i++) {
    packed[i] ^= 0x20;
    ssize_t n = run(packed, len, out, sizeof out);
    /* Bytes of gzip's header that mean nothing (time, system) may change; the content may not. */
    EXPECT(n < 0 || (n == sizeof text && !memcmp(out, text, sizeof text)) || i < 4);
    packed[i] ^= 0x20;
  }
  packed[len] = 'x';
  EXPECT(run(packed, len + 1, out, sizeof out) == -EBADMSG);
}

static void test_big(void) {
  /* More than the buffers inside, in both directions. */
  size_t len = 3 << 20;
  unsigned char *in = malloc(len), *packed = malloc(len + 65536);
  char *out = malloc(len + 1);
  for (size_t i = 0; i < len; i++) in[i] = (unsigned char)((i * 2654435761u) >> 13);
  size_t n = pack_gzip(in, len, packed, len + 65536);
  EXPECT(run(packed, n, out, len + 1) == (ssize_t)len && !memcmp(in, out, len));
  n = pack_zstd(in, len, packed, len + 65536);
  EXPECT(run(packed, n, out, len + 1) == (ssize_t)len && !memcmp(in, out, len));
  EXPECT(run(in, len, out, len + 1) == (ssize_t)len && !memcmp(in, out, len));
  free(in);
  free(packed);
  free(out);
}

static void test_skippable(void) {
  unsigned char packed[512] = "\x5a\x2a\x4d\x18\x03\0\0\0abc";
  char out[256];
  size_t n = 11 + pack_zstd(text, sizeof text, packed + 11, sizeof packed - 11);
  memcpy(packed + n, "\x50\x2a\x4d\x18\0\0\0\0", 8);
  EXPECT(run(packed, n + 8, out, sizeof out) == sizeof text);
}

static void test_refused(void) {
  char out[64];
  EXPECT(run("", 0, out, sizeof out) == -EINVAL);
  EXPECT(run("BZh91AY&SY", 10, out, sizeof out) == -EPROTONOSUPPORT);
  EXPECT(run("\xfd"
             "7zXZ\0\0\0",
             8, out, sizeof out) == -EPROTONOSUPPORT);
  EXPECT(run("\x04\x22\x4d\x18xxxx", 8, out, sizeof out) == -EPROTONOSUPPORT);
  EXPECT(run("abc", 3, out, sizeof out) == 3);
}

static void test_stop(void) {
  int stop[2], in[2];
  struct blob *blob = NULL;
  struct err err = {0};
  EXPECT(pipe(stop) == 0 && pipe(in) == 0);
  EXPECT(write(stop[1], "x", 1) == 1);
  EXPECT(blob_open(in[0], stop[0], &blob, &err) == -EINTR); /* else it would wait for the pipe for ever */
  for (int i = 0; i < 2; i++) close(stop[i]), close(in[i]);
}

int main(void) {
  test_packed(pack_gzip);
  test_packed(pack_zstd);
  test_big();
  test_skippable();
  test_refused();
  test_stop();
  return expect_end("blob");
}
