/* Between a balancer and its forwarders: see handoff.h. */
#include "handoff.h"

#include "fdmsg.h"

int handoff_send(int channel, const struct handoff *message, const void *payload, size_t len, int fd) {
  struct iovec iov[] = {{.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof *message},
                        {.iov_base = (void *)(uintptr_t)payload, .iov_len = len}};
  const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = len > 0 ? 2 : 1};
  return fdmsg_send(channel, &msg, &fd, fd >= 0 ? 1 : 0);
}

ssize_t handoff_receive(int channel, struct handoff *ret, void *payload, size_t size, int *ret_fd) {
  struct iovec iov[] = {{.iov_base = ret, .iov_len = sizeof *ret}, {.iov_base = payload, .iov_len = size}};
  int fd = -1;
  size_t n = 0;
  *ret_fd = -1;
  ssize_t len = fdmsg_receive(channel, iov, size > 0 ? 2 : 1, &fd, 1, &n);
  if (len == 0 || len == -ECONNRESET) return -EPIPE;
  if (len < 0) return len;
  const bool fits = (size_t)len >= sizeof *ret && (n == 1) == (ret->kind == HANDOFF_CONNECTION);
  if (!fits) {
    if (n == 1) close(fd);
    return -EBADMSG;
  }
  if (n == 1) *ret_fd = fd;
  return len - (ssize_t)sizeof *ret;
}
