/* igzip beside zlib: whatever is long enough for it gives the same bytes or the same error. Needs Debian's isal (packages.sh session). */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <zlib.h>

#include "expect.h"
#include "lib/blob.h"

enum { LEN = 1500000, ROOM = 4 * LEN };

static unsigned char *plain, *packed;
static char *out, *again;

/* One gzip member of plain[from, from + len), with an extra field when there is one, as eStargz has. */
static size_t member(size_t at, size_t from, size_t len, int level, const char *extra) {
  z_stream z = {.next_in = plain + from, .avail_in = (uInt)len, .next_out = packed + at, .avail_out = (uInt)(ROOM - at)};
  gz_header head = {.os = 255,
                    .extra = (Bytef *)(uintptr_t)extra,
                    .extra_len = extra ? (uInt)strlen(extra) : 0,
                    .name = extra ? (Bytef *)(uintptr_t) "name" : NULL};
  EXPECT(deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  EXPECT(deflateSetHeader(&z, &head) == Z_OK);
  EXPECT(deflate(&z, Z_FINISH) == Z_STREAM_END);
  deflateEnd(&z);
  return z.total_out;
}

static ssize_t run(size_t len, char *to) {
  cleanup_fd int fd = memfd_create("blob", MFD_CLOEXEC);
  struct blob *blob = NULL;
  struct err err = {0};
  if (fd < 0 || write_all(fd, packed, len) < 0 || lseek(fd, 0, SEEK_SET) < 0) return -EIO;
  ssize_t n = blob_open(fd, -1, &blob, &err);
  if (n == 0) n = blob_read(blob, to, ROOM, &err);
  if (n < 0) EXPECT(!strcmp(err.step, "gzip"));
  if (n >= 0) EXPECT(blob_used(blob) == len);
  blob_free(blob);
  return n;
}

/* By zlib, as PATH is empty; then by igzip. */
static ssize_t both(size_t len) {
  const char *path = "/usr/local/bin:/usr/bin:/bin";
  EXPECT(setenv("PATH", "", 1) == 0);
  ssize_t a = run(len, again);
  EXPECT(setenv("PATH", path, 1) == 0);
  ssize_t b = run(len, out);
  EXPECT(a == b);
  if (a > 0) EXPECT(!memcmp(out, again, (size_t)a));
  return b;
}

static void test_same(void) {
  for (int level = 0; level <= 9; level += 3) {
    EXPECT(both(member(0, 0, LEN, level, NULL)) == LEN);
    EXPECT(!memcmp(out, plain, LEN));
  }
  /* Thousands of members with extra fields and names, empty ones among them. */
  size_t len = 0;
  for (size_t i = 0; i < LEN; i += 500) len += member(len, i, 500, 9, "SG\x01x");
  len += member(len, 0, 0, 9, "SG\x01x");
  EXPECT(both(len) == LEN);
  EXPECT(!memcmp(out, plain, LEN));
}

static void test_corrupt(void) {
  size_t len = member(0, 0, LEN, 6, NULL);
  for (size_t cut = 1; cut < 12; cut++) EXPECT(both(len - cut) == -EBADMSG);
  EXPECT(both(len / 2) == -EBADMSG);
  /* The checksum, the length, the content. */
  const size_t places[] = {len - 7, len - 2, len / 2, len / 3};
  for (size_t i = 0; i < N_ELEMENTS(places); i++) {
    packed[places[i]] ^= 0x20;
    EXPECT(both(len) == -EBADMSG);
    packed[places[i]] ^= 0x20;
  }
}

/* Nobody reads what it makes: it is ended, not waited for. */
static void test_left(void) {
  size_t len = member(0, 0, LEN, 0, NULL);
  cleanup_fd int fd = memfd_create("blob", MFD_CLOEXEC);
  struct blob *blob = NULL;
  struct err err = {0};
  EXPECT(fd >= 0 && write_all(fd, packed, len) == 0 && lseek(fd, 0, SEEK_SET) == 0);
  EXPECT(blob_open(fd, -1, &blob, &err) == 0);
  EXPECT(blob_read(blob, out, 10, &err) == 10);
  blob_free(blob);
  EXPECT(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
}

static void test_stop(void) {
  int stop[2], in[2];
  struct blob *blob = NULL;
  struct err err = {0};
  EXPECT(pipe(stop) == 0 && pipe(in) == 0);
  size_t len = member(0, 0, LEN, 0, NULL);
  pid_t writer = fork();
  if (writer == 0) _exit(write_all(in[1], packed, len / 2) == 0 ? 0 : 1);
  EXPECT(blob_open(in[0], stop[0], &blob, &err) == 0);
  EXPECT(write(stop[1], "x", 1) == 1);
  /* `in` has no end, so it would wait for ever. */
  EXPECT(blob_read(blob, out, ROOM, &err) == -EINTR);
  blob_free(blob);
  (void)kill(writer, SIGKILL);
  (void)waitpid(writer, NULL, 0);
  for (int i = 0; i < 2; i++) close(stop[i]), close(in[i]);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  EXPECT(access("/usr/bin/igzip", X_OK) == 0); /* else this would compare zlib with itself */
  plain = malloc(LEN);
  packed = malloc(ROOM);
  out = malloc(ROOM);
  again = malloc(ROOM);
  uint32_t x = 1;
  /* Neither noise nor nothing: some 700 KB packed. */
  for (size_t i = 0; i < LEN; i++) plain[i] = (unsigned char)((x = x * 1664525 + 1013904223) >> 28) + (i % 61 < 7 ? 'a' : 'A');
  test_same();
  test_corrupt();
  test_left();
  test_stop();
  free(plain);
  free(packed);
  free(out);
  free(again);
  return expect_end("igzip");
}
