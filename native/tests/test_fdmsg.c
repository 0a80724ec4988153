/* Messages with descriptors: what comes through, and what is more than the receiver has room for. */
#include "lib/fdmsg.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "expect.h"

static int ends[2];

static size_t open_descriptors(void) {
  size_t n = 0;
  DIR *dir = opendir("/proc/self/fd");
  while (dir && readdir(dir)) n++;
  if (dir) closedir(dir);
  return n;
}

static int send_text(const char *text, const int *fds, size_t n) {
  struct iovec iov = {.iov_base = (char *)text, .iov_len = strlen(text)};
  const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  return fdmsg_send(ends[0], &msg, fds, n);
}

/* As a sender of another kind may, with more descriptors than we ever send. */
static void send_many(const int *fds, size_t n) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(16 * sizeof(int))];
  } control = {0};
  struct iovec iov = {.iov_base = "x", .iov_len = 1};
  struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(n * sizeof(int))};
  *CMSG_FIRSTHDR(&msg) = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(n * sizeof(int))};
  memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, n * sizeof(int));
  EXPECT(sendmsg(ends[0], &msg, 0) == 1);
}

static ssize_t receive(char *buf, size_t len, int *fds, size_t max, size_t *ret_n) {
  struct iovec iov = {.iov_base = buf, .iov_len = len};
  return fdmsg_receive(ends[1], &iov, 1, fds, max, ret_n);
}

static bool same_file(int a, int b) {
  struct stat x, y;
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void test_through(const int *files) {
  char buf[8];
  for (size_t n = 0; n <= FDMSG_MAX; n++) {
    int got[FDMSG_MAX];
    size_t n_got = 9;
    EXPECT(send_text("hello", files, n) == 0);
    EXPECT(receive(buf, sizeof buf, got, FDMSG_MAX, &n_got) == 5 && !memcmp(buf, "hello", 5) && n_got == n);
    for (size_t i = 0; i < n_got; i++) {
      EXPECT(same_file(got[i], files[i]) && fcntl(got[i], F_GETFD) == FD_CLOEXEC);
      close(got[i]);
    }
  }
}

/* Nothing is written behind the array, nothing stays open. */
static void test_too_much(const int *files) {
  char buf[8];
  const size_t before = open_descriptors();
  for (size_t max = 0; max <= FDMSG_MAX; max++)
    for (size_t n = max + 1; n <= 8; n++) {
      int got[8];
      size_t n_got = 9;
      for (size_t i = 0; i < N_ELEMENTS(got); i++) got[i] = -7;
      send_many(files, n);
      EXPECT(receive(buf, sizeof buf, got, max, &n_got) == -EMSGSIZE && n_got == 0);
      for (size_t i = max; i < N_ELEMENTS(got); i++) EXPECT(got[i] == -7);
      EXPECT(open_descriptors() == before);
    }
  int one;
  size_t n_got = 9;
  EXPECT(send_text("longer than that", files, 1) == 0 && receive(buf, sizeof buf, &one, 1, &n_got) == -EMSGSIZE && n_got == 0);
  EXPECT(open_descriptors() == before);
  EXPECT(send_text("x", files, FDMSG_MAX + 1) == -EINVAL);
}

int main(void) {
  int files[8];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) return 1;
  for (size_t i = 0; i < N_ELEMENTS(files); i++) files[i] = memfd_create("file", MFD_CLOEXEC);
  test_through(files);
  test_too_much(files);
  char byte;
  int none;
  size_t n;
  EXPECT(receive(&byte, 1, &none, 1, &n) == -EAGAIN);
  close(ends[1]);
  EXPECT(send_text("x", NULL, 0) == -EPIPE);
  return expect_end("fdmsg");
}
