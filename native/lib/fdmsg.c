/* Messages with descriptors: see fdmsg.h. */
#include "fdmsg.h"

union control {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(FDMSG_MAX * sizeof(int))];
};

int fdmsg_send(int sock, const struct msghdr *msg, const int *fds, size_t n) {
  union control control = {0};
  struct msghdr whole = *msg;
  if (n > FDMSG_MAX) return -EINVAL;
  if (n > 0) {
    whole.msg_control = &control;
    whole.msg_controllen = CMSG_SPACE(n * sizeof(int));
    struct cmsghdr *cmsg = &control.header;
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(cmsg), fds, n * sizeof(int));
  }
  while (sendmsg(sock, &whole, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return -errno;
  return 0;
}

ssize_t fdmsg_receive(int sock, struct iovec *iov, size_t n_iov, int *fds, size_t max, size_t *ret_n) {
  union control control;
  /* CMSG_LEN: with the padding of CMSG_SPACE there is room for one descriptor more than was asked for, and the kernel would use it. */
  struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n_iov, .msg_control = &control, .msg_controllen = CMSG_LEN(max * sizeof(int))};
  *ret_n = 0;
  if (max > FDMSG_MAX) return -EINVAL;
  ssize_t r;
  do {
    r = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
  } while (r < 0 && errno == EINTR);
  if (r < 0) return -errno;
  const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
  if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
    *ret_n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(cmsg), *ret_n * sizeof(int));
  }
  if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) return r;
  for (size_t i = 0; i < *ret_n; i++) close(fds[i]);
  *ret_n = 0;
  return -EMSGSIZE;
}
