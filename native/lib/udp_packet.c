/* Datagrams with the address they came to: see udp_packet.h. */
#include "udp_packet.h"

static int socket_family(int fd) {
  int family = 0;
  socklen_t len = sizeof family;
  return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 ? -errno : family;
}

int udp_packet_prepare(int fd) {
  const int on = 1;
  const int family = socket_family(fd);
  if (family < 0) return family;
  /* An IPv6 socket tells of IPv4 datagrams likewise, in mapped form. */
  int r =
      family == AF_INET6 ? setsockopt(fd, SOL_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) : setsockopt(fd, SOL_IP, IP_PKTINFO, &on, sizeof on);
  return r < 0 ? -errno : 0;
}

union control {
  struct cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void read_local(struct msghdr *m, struct address *local) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
    if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      /* spec_dst, not addr: for a broadcast it is the address of ours that may answer (ip(7)). */
      *local = (struct address){.v4 = {.sin_family = AF_INET, .sin_addr = info.ipi_spec_dst}};
    } else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      *local = (struct address){.v6 = {.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr}};
      /* The interface counts only where addresses need one; elsewhere it would pin the reply to a way it may not go. */
      if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) local->v6.sin6_scope_id = info.ipi6_ifindex;
    }
  }
}

int udp_packet_receive(int fd, void *buf, size_t size, struct udp_packet *ret) {
  union control control;
  struct iovec part = {.iov_base = buf, .iov_len = size};
  *ret = (struct udp_packet){0};
  struct msghdr m = {.msg_name = &ret->client,
                     .msg_namelen = sizeof ret->client,
                     .msg_iov = &part,
                     .msg_iovlen = 1,
                     .msg_control = &control,
                     .msg_controllen = sizeof control};
  ssize_t n = recvmsg(fd, &m, MSG_TRUNC);
  if (n < 0) return -errno;
  if ((size_t)n > size) return -EMSGSIZE;
  ret->len = (size_t)n;
  read_local(&m, &ret->local);
  address_unmap(&ret->client);
  address_unmap(&ret->local);
  return 0;
}

static void put_control(struct msghdr *m, union control *control, int level, int type, const void *info, size_t size) {
  memset(control, 0, sizeof *control);
  m->msg_control = control;
  m->msg_controllen = CMSG_SPACE(size);
  struct cmsghdr *c = &control->head;
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(c), info, size);
}

int udp_packet_reply(int fd, const void *buf, const struct udp_packet *packet) {
  const bool v6 = socket_family(fd) == AF_INET6;
  struct address to = packet->client, from = packet->local;
  union control control;
  struct iovec part = {.iov_base = (void *)(uintptr_t)buf, .iov_len = packet->len};
  struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
  if (v6) {
    address_map(&to);
    address_map(&from);
  }
  m.msg_name = &to;
  m.msg_namelen = address_len(&to);
  if (from.family == AF_INET6) {
    const struct in6_pktinfo info = {.ipi6_addr = from.v6.sin6_addr, .ipi6_ifindex = from.v6.sin6_scope_id};
    put_control(&m, &control, SOL_IPV6, IPV6_PKTINFO, &info, sizeof info);
  } else if (from.family == AF_INET) {
    const struct in_pktinfo info = {.ipi_spec_dst = from.v4.sin_addr};
    put_control(&m, &control, SOL_IP, IP_PKTINFO, &info, sizeof info);
  }
  return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}
