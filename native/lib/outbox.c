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

/* One entry to the journal, or as a frame into the spill file. */
static int deliver(struct outbox *o, const struct iovec *iov, size_t n) {
  if (o->spill < 0) return send_now(o, iov, n);
  uint32_t len = 0;
  for (size_t i = 0; i < n; i++) len += (uint32_t)iov[i].iov_len;
  int r = write_all(o->spill, &len, sizeof len);
  for (size_t i = 0; r == 0 && i < n; i++) r = write_all(o->spill, iov[i].iov_base, iov[i].iov_len);
  return r;
}

/* The frame at `*off`, which moves behind it. False at the end, or where a process that died has left a piece of one. */
static bool next_frame(const char *bytes, size_t size, size_t *off, struct iovec *ret) {
  uint32_t len;
  if (size - *off < sizeof len) return false;
  memcpy(&len, bytes + *off, sizeof len);
  if (size - *off - sizeof len < len) return false;
  *ret = (struct iovec){.iov_base = (char *)bytes + *off + sizeof len, .iov_len = len};
  *off += sizeof len + len;
  return true;
}

int outbox_flush(struct outbox *o) {
  struct iovec iov;
  for (size_t next = o->off; next_frame(o->bytes, o->len, &next, &iov); o->off = next)
    /* What the kernel refuses for good goes too: to try it again and again would stop the pod's output. */
    if (deliver(o, &iov, 1) == -EAGAIN) return -EAGAIN;
  o->off = o->len = 0;
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
  const uint32_t total = (uint32_t)(fields_len + (size_t)middle_len + len + 1);
  if (o->len + sizeof total + total > sizeof o->bytes) {
    int r = outbox_flush(o);
    if (r < 0) return r;
    if (sizeof total + total > sizeof o->bytes) return deliver(o, iov, N_ELEMENTS(iov));
  }
  char *p = mempcpy(o->bytes + o->len, &total, sizeof total);
  for (size_t i = 0; i < N_ELEMENTS(iov); i++) p = mempcpy(p, iov[i].iov_base, iov[i].iov_len);
  o->len = (size_t)(p - o->bytes);
  return 0;
}

int outbox_resend(struct outbox *o, int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  if (st.st_size == 0) return 0;
  const size_t size = (size_t)st.st_size;
  char *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) return -errno;
  struct iovec iov;
  size_t next = o->resent;
  int r = 0;
  while (next <= size && next_frame(p, size, &next, &iov) && (r = send_now(o, &iov, 1)) != -EAGAIN) o->resent = next;
  munmap(p, size);
  if (r == -EAGAIN) return r;
  o->resent = 0;
  return 0;
}
