/* Messages between a container's maker and its first process: see init.h. */
#include "init.h"
#include "lib/fdmsg.h"

int oci_report_send(int sock, const struct oci_report *report, int fd) {
  struct iovec iov = {.iov_base = (void *)report, .iov_len = sizeof *report};
  const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  if (fd >= 0) return fdmsg_send(sock, &msg, &fd, 1);
  ssize_t n;
  do {
    n = write(sock, report, sizeof *report);
  } while (n < 0 && errno == EINTR);
  return n == (ssize_t)sizeof *report ? 0 : n < 0 ? -errno : -EIO;
}

int oci_report_receive(int sock, struct oci_report *ret, int *ret_fd) {
  struct iovec iov = {.iov_base = ret, .iov_len = sizeof *ret};
  size_t n_fds;
  ssize_t n;
  *ret_fd = -1;
  do {
    n = fdmsg_receive(sock, &iov, 1, ret_fd, 1, &n_fds);
  } while (n == -EINTR);
  if (n < 0) return (int)n;
  return n == (ssize_t)sizeof *ret ? 0 : -ECONNRESET;
}
