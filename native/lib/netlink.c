/* rtnetlink(7), one request, one answer: see netlink.h. */
#include "netlink.h"

#include <sys/socket.h>
#include <sys/time.h>

int netlink_open(struct netlink *ret) {
  cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const struct timeval deadline = {.tv_sec = 5};
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline) < 0) return -errno;
  *ret = (struct netlink){.fd = steal_fd(&fd)};
  return 0;
}

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags, const void *fixed, size_t size) {
  memset(request, 0, sizeof *request);
  request->header =
      (struct nlmsghdr){.nlmsg_len = (uint32_t)NLMSG_LENGTH(size), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags};
  memcpy(request->body, fixed, size);
}

void netlink_put(struct netlink_request *request, uint16_t attribute, const void *value, size_t size) {
  size_t at = NLMSG_ALIGN(request->header.nlmsg_len);
  const struct rtattr head = {.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = attribute};
  if (at + RTA_SPACE(size) > sizeof *request) abort(); /* a bug: requests are of fixed shape */
  memcpy((char *)request + at, &head, sizeof head);
  memcpy((char *)request + at + RTA_LENGTH(0), value, size);
  request->header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(size));
}

int netlink_call(struct netlink *netlink, struct netlink_request *request) {
  union {
    struct nlmsghdr header;
    char bytes[4096];
  } answer;
  request->header.nlmsg_seq = ++netlink->sequence;
  if (send(netlink->fd, request, request->header.nlmsg_len, 0) < 0) return -errno;
  for (;;) {
    ssize_t n = recv(netlink->fd, &answer, sizeof answer, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? -ETIMEDOUT : -errno;
    if ((size_t)n < NLMSG_LENGTH(sizeof(struct nlmsgerr)) || answer.header.nlmsg_type != NLMSG_ERROR) continue;
    if (answer.header.nlmsg_seq != netlink->sequence) continue; /* of a call that was given up */
    return ((struct nlmsgerr *)NLMSG_DATA(&answer.header))->error;
  }
}
