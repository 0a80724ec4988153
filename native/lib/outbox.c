/* Lines on their way to the journal: see outbox.h. */
#include "outbox.h"

#include <sys/mman.h>
#include <sys/stat.h>

enum { RETRY_FIRST_MS = 20, RETRY_LAST_MS = 500 };

static int send_now(struct outbox *o, const struct iovec *iov, size_t n) {
  int r = journal_send(&o->journal, iov, n);
  o->blocked = r == -EAGAIN || r == -ENOTCONN;
  if (!o->blocked) {
    o->retry_ms = RETRY_FIRST_MS;
    return r;
  }
  o->retry_ms = o->retry_ms < RETRY_FIRST_MS ? RETRY_FIRST_MS : o->retry_ms < RETRY_LAST_MS ? o->retry_ms * 2 : RETRY_LAST_MS;
  return -EAGAIN;
}

/* One datagram, or its bytes and the separator behind them into the spill file. */
static int deliver(struct outbox *o, const struct iovec *iov, size_t n) {
  if (o->spill < 0) return send_now(o, iov, n);
  for (size_t i = 0; i < n; i++) {
    int r = write_all(o->spill, iov[i].iov_base, iov[i].iov_len);
    if (r < 0) return r;
  }
  return write_all(o->spill, "\n", 1);
}

int outbox_flush(struct outbox *o) {
  if (!o->len) return 0;
  const struct iovec iov = {.iov_base = o->bytes, .iov_len = o->len};
  if (deliver(o, &iov, 1) == -EAGAIN) return -EAGAIN;
  o->len = 0; /* also when the kernel refused it for good: to try for ever would stop the pod's output for ever */
  return 0;
}

int outbox_add(struct outbox *o, const char *fields, size_t fields_len, int priority, const char *line, size_t len, bool partial) {
  char middle[80];
  int middle_len = snprintf(middle, sizeof middle, "PRIORITY=%d\n%sMESSAGE=", priority, partial ? "CONTAINER_PARTIAL_MESSAGE=true\n" : "");
  /* A line holds no newline, so NAME=value serves for every other byte, NUL too. */
  const struct iovec iov[] = {
      {.iov_base = (char *)fields, .iov_len = fields_len},
      {.iov_base = middle, .iov_len = (size_t)middle_len},
      {.iov_base = (char *)line, .iov_len = len},
      {.iov_base = "\n", .iov_len = 1},
  };
  size_t total = fields_len + (size_t)middle_len + len + 2; /* 2: the newline, and the empty line that separates entries */
  if (o->len + total > sizeof o->bytes) {
    int r = outbox_flush(o);
    if (r < 0) return r;
    if (total > sizeof o->bytes) return deliver(o, iov, N_ELEMENTS(iov));
  }
  char *p = o->bytes + o->len;
  if (o->len) *p++ = '\n';
  for (size_t i = 0; i < N_ELEMENTS(iov); i++) p = mempcpy(p, iov[i].iov_base, iov[i].iov_len);
  o->len = (size_t)(p - o->bytes);
  return 0;
}

int outbox_resend(struct outbox *o, int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  if (st.st_size == 0) return 0;
  void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) return -errno;
  const struct iovec iov = {.iov_base = p, .iov_len = (size_t)st.st_size};
  int r = send_now(o, &iov, 1);
  munmap(p, (size_t)st.st_size);
  return r;
}
