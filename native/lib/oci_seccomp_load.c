/* An OCI container's seccomp filter: made, loaded, and its listener sent to an agent: see seccomp.h. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

#include "fdmsg.h"
#include "oci_seccomp_parts.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { AGENT_SECONDS = 10, FIRST_MAX = 64 * 1024 };

int oci_filter_make(const struct oci_seccomp *s, int cache, struct oci_filter *ret, struct err *err) {
  struct oci_filter f = {.flags = s->flags};
  for (size_t i = 0; i < s->n_rules; i++) f.notifies |= s->rules[i].action == SCMP_ACT_NOTIFY;
  uint8_t key[SECCOMP_KEY_SIZE];
  seccomp_key(s, key);
  int r = seccomp_cache_read(cache, key, &f.code, &f.n);
  if (r == -ENOENT) {
    r = seccomp_compile(s, &f.code, &f.n, err);
    if (r == 0) seccomp_cache_write(cache, key, f.code, f.n);
  } else if (r < 0) {
    err_set(err, -r, "seccomp", "%s", "");
  }
  if (r == 0) *ret = f;
  return r;
}

void oci_filter_free(struct oci_filter *f) {
  free(f->code);
  *f = (struct oci_filter){0};
}

int oci_filter_load(const struct oci_filter *f, int *ret_listener, struct err *err) {
  const struct sock_fprog prog = {.len = (unsigned short)f->n, .filter = f->code};
  *ret_listener = -1;
  if (!f->n) return 0;
  /* We are one thread: there is nothing to synchronise, and with a listener the two do not go together. */
  unsigned flags = f->flags & ~SECCOMP_FILTER_FLAG_TSYNC;
  if (f->notifies)
    flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  else
    flags &= ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV; /* of listeners alone, else EINVAL */
  long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
  if (fd < 0)
    return err_set(err, errno, "seccomp", "load%s",
                   errno == EBUSY    ? ": a filter with a listener is there already"
                   : errno == EINVAL ? ": a flag or action that this kernel does not know"
                                     : "");
  if (f->notifies) *ret_listener = (int)fd;
  return 0;
}

/* --- the listener --- */

/* The socket by way of a descriptor: so a path may be longer than sun_path's 107 bytes. */
static int connect_agent(const char *path, struct err *err) {
  const struct timeval patience = {.tv_sec = AGENT_SECONDS};
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  cleanup_fd int at = open(path, O_PATH | O_CLOEXEC);
  if (at < 0) return err_set(err, errno, "seccomp", "listenerPath %s", path);
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", at);
  cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0)
    return err_set(err, errno, "seccomp", "listenerPath %s", path);
  if (connect(sock, (struct sockaddr *)&address, sizeof address) < 0)
    return err_set(err, errno == EAGAIN ? ETIMEDOUT : errno, "seccomp", "connect to listenerPath %s", path);
  return steal_fd(&sock);
}

/* In one message where it fits, because agents read but one; the descriptor with the first. */
static int send_with_fd(int sock, char *text, size_t len, int fd) {
  size_t done = len < FIRST_MAX ? len : FIRST_MAX;
  struct iovec iov = {.iov_base = text, .iov_len = done};
  const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  int r = fdmsg_send(sock, &msg, &fd, 1);
  while (r == 0 && done < len) {
    ssize_t n = send(sock, text + done, len - done, MSG_NOSIGNAL);
    if (n < 0 && errno != EINTR) r = -errno;
    if (n > 0) done += (size_t)n;
  }
  return r;
}

int oci_filter_send_listener(const char *path, int listener, pid_t pid, const char *metadata, const json_t *state, struct err *err) {
  json_t *tree = json_pack("{s:O?, s:[s], s:i, s:s*, s:O}", "ociVersion", json_object_get(state, "ociVersion"), "fds", "seccompFd", "pid",
                           (int)pid, "metadata", metadata, "state", (json_t *)state);
  cleanup_free char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
  json_decref(tree);
  if (!text) return err_set(err, ENOMEM, "seccomp", "the container process state");
  cleanup_fd int sock = connect_agent(path, err);
  if (sock < 0) return sock;
  int r = send_with_fd(sock, text, strlen(text), listener);
  return r < 0 ? err_set(err, r == -EAGAIN ? ETIMEDOUT : -r, "seccomp", "send to listenerPath %s", path) : 0;
}
