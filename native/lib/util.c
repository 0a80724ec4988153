/* The vocabulary of podrt: see util.h. */
#include "util.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

int err_set(struct err *err, int code, const char *step, const char *fmt, ...) {
  if (err) {
    va_list ap;
    err->code = code;
    snprintf(err->step, sizeof err->step, "%s", step);
    va_start(ap, fmt);
    vsnprintf(err->what, sizeof err->what, fmt, ap);
    va_end(ap);
  }
  return code ? -code : -EINVAL;
}

void err_print(const struct err *err, const char *verb) {
  fprintf(stderr, "podrt: %s: %s%s%s%s%s\n", verb, err->step, err->what[0] ? ": " : "", err->what, err->code ? ": " : "",
          err->code ? strerror(err->code) : "");
}

char *xformat(const char *fmt, ...) {
  char *s = NULL;
  va_list ap;
  va_start(ap, fmt);
  if (vasprintf(&s, fmt, ap) < 0) s = NULL;
  va_end(ap);
  return s;
}

int read_file_at(int dirfd, const char *path, size_t limit, char **ret, size_t *ret_len) {
  cleanup_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  size_t cap = 32768, len = 0; /* most files of ours in one read; what is not used costs no page */
  cleanup_free char *buf = malloc(cap + 1);
  if (!buf) return -ENOMEM;
  for (;;) {
    ssize_t n = read(fd, buf + len, cap - len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) break;
    len += (size_t)n;
    if (len > limit) return -EFBIG;
    if (len == cap) {
      char *bigger = realloc(buf, cap * 2 + 1);
      if (!bigger) return -ENOMEM;
      buf = bigger;
      cap *= 2;
    }
  }
  buf[len] = 0;
  *ret = buf;
  buf = NULL;
  if (ret_len) *ret_len = len;
  return 0;
}

int write_all(int fd, const void *bytes, size_t len) {
  const char *p = bytes;
  while (len) {
    ssize_t n = write(fd, p, len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    p += n;
    len -= (size_t)n;
  }
  return 0;
}

int write_file_atomic_at(int dirfd, const char *path, const void *bytes, size_t len, mode_t mode) {
  cleanup_free char *tmp = xformat("%s.%d.tmp", path, (int)getpid());
  if (!tmp) return -ENOMEM;
  cleanup_fd int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return -errno;
  int r = write_all(fd, bytes, len);
  if (r == 0 && fchmod(fd, mode) < 0) r = -errno;
  if (r == 0 && renameat(dirfd, tmp, dirfd, path) < 0) r = -errno;
  if (r < 0) (void)unlinkat(dirfd, tmp, 0);
  return r;
}
