/* Compression: what comes out unpacks to what went in, whatever the pieces; the same twice; levels and names that are none are refused. */
#include "lib/pack.h"

#include <sys/mman.h>

#include "expect.h"
#include "lib/blob.h"

enum { SIZE = 3 * 1024 * 1024 };

/* Half noise, half repetition: more than one output buffer either way. */
static void fill(uint8_t *bytes) {
  uint32_t x = 1;
  for (size_t i = 0; i < SIZE; i++) {
    x = x * 1664525 + 1013904223;
    bytes[i] = i % 8192 < 4096 ? (uint8_t)(x >> 24) : (uint8_t)i;
  }
}

/* Packs into a memfd, in pieces of `step`. */
static int packed(enum pack_format format, int level, const uint8_t *bytes, size_t len, size_t step) {
  int fd = memfd_create("pack", MFD_CLOEXEC);
  struct pack *pack = NULL;
  struct err err = {0};
  EXPECT(fd >= 0 && pack_open(fd, format, level, &pack, &err) == 0);
  for (size_t at = 0; at < len; at += step) EXPECT(pack_write(pack, bytes + at, len - at < step ? len - at : step, &err) == 0);
  EXPECT(pack_finish(pack, &err) == 0);
  pack_free(pack);
  EXPECT(lseek(fd, 0, SEEK_SET) == 0);
  return fd;
}

static void test_round(enum pack_format format, int level, const uint8_t *bytes, size_t len) {
  uint8_t *back = malloc(SIZE + 1), *one = malloc(SIZE + 1), *two = malloc(SIZE + 1);
  cleanup_fd int fd = packed(format, level, bytes, len, 65536);
  cleanup_fd int again = packed(format, level, bytes, len, 65536);
  struct blob *blob = NULL;
  struct err err = {0};
  ssize_t size = read(fd, one, SIZE + 1);
  EXPECT(size >= 0 && read(again, two, SIZE + 1) == size && !memcmp(one, two, (size_t)size));
  EXPECT(lseek(fd, 0, SEEK_SET) == 0 && blob_open(fd, -1, &blob, &err) == 0);
  EXPECT(blob_read(blob, back, SIZE + 1, &err) == (ssize_t)len && !memcmp(back, bytes, len));
  blob_free(blob);
  EXPECT(format == PACK_NONE ? size == (ssize_t)len : len == 0 || size < (ssize_t)len);
  free(back);
  free(one);
  free(two);
}

static void test_refused(void) {
  struct pack *pack = NULL;
  struct err err = {0};
  enum pack_format format;
  EXPECT(pack_format_parse("zstd", &format) == 0 && format == PACK_ZSTD);
  EXPECT(pack_format_parse("xz", &format) == -EINVAL && pack_format_parse("", &format) == -EINVAL);
  EXPECT(pack_open(1, PACK_GZIP, 10, &pack, &err) == -EINVAL && pack_open(1, PACK_ZSTD, 20, &pack, &err) == -EINVAL);
  EXPECT(pack_open(1, PACK_NONE, 1, &pack, &err) == -EINVAL && !strcmp(err.step, "level"));
  cleanup_fd int shut = memfd_create("shut", MFD_CLOEXEC);
  close(shut);
  EXPECT(pack_open(shut, PACK_NONE, 0, &pack, &err) == 0 && pack_write(pack, "x", 1, &err) == -EBADF);
  pack_free(pack);
  shut = -1;
}

int main(void) {
  uint8_t *bytes = malloc(SIZE);
  EXPECT(bytes);
  fill(bytes);
  const struct {
    enum pack_format format;
    int level;
  } rounds[] = {{PACK_NONE, 0}, {PACK_GZIP, 0}, {PACK_GZIP, 1}, {PACK_ZSTD, 0}, {PACK_ZSTD, 1}, {PACK_ZSTD, 9}};
  for (size_t i = 0; i < N_ELEMENTS(rounds); i++) test_round(rounds[i].format, rounds[i].level, bytes, SIZE);
  /* Nothing at all is a whole gzip or zstd stream too. */
  test_round(PACK_GZIP, 0, bytes, 0);
  test_round(PACK_ZSTD, 0, bytes, 0);
  test_refused();
  free(bytes);
  return expect_end("pack");
}
