/* The client's own address, inside a pod's network namespace: see transparent.h. */
#include "transparent.h"

#include <fcntl.h>
#include <linux/fib_rules.h>
#include <net/if.h>
#include <poll.h>

enum { TRY_MS = 200 };

/* --- rules and routes ---------------------------------------------------------------------------------------------- */

/* A rule for what this namespace itself sends. */
static void rule_begin(struct netlink_request *q, uint16_t type, sa_family_t family, uint32_t table, uint8_t src_len) {
  const struct fib_rule_hdr head = {.family = (uint8_t)family, .src_len = src_len, .action = FR_ACT_TO_TBL};
  netlink_begin(q, type, type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof head);
  netlink_put(q, FRA_IIFNAME, "lo", 3);
  netlink_put_u32(q, FRA_PRIORITY, TRANSPARENT_PRIORITY);
  if (table) netlink_put_u32(q, FRA_TABLE, table);
}

/* A route that takes `dst` for an address of ours; all addresses where dst is NULL. `src`: what a socket without one answers from. */
static void route_begin(struct netlink_request *q, uint16_t type, sa_family_t family, uint32_t table, const struct address *dst,
                        const struct address *src) {
  const size_t size = family == AF_INET6 ? 16 : 4;
  const struct rtmsg head = {.rtm_family = (uint8_t)family,
                             .rtm_dst_len = (uint8_t)(dst ? size * 8 : 0),
                             .rtm_type = RTN_LOCAL,
                             .rtm_scope = RT_SCOPE_HOST,
                             .rtm_protocol = RTPROT_STATIC};
  netlink_begin(q, type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof head);
  netlink_put_u32(q, RTA_TABLE, table);
  netlink_put_u32(q, RTA_OIF, if_nametoindex("lo"));
  if (dst) netlink_put(q, RTA_DST, family == AF_INET6 ? (const void *)&dst->v6.sin6_addr : &dst->v4.sin_addr, size);
  if (src) netlink_put(q, RTA_PREFSRC, family == AF_INET6 ? (const void *)&src->v6.sin6_addr : &src->v4.sin_addr, size);
}

static int call_once(struct netlink *n, struct netlink_request *q) {
  int r = netlink_call(n, q);
  return r == -EEXIST ? 0 : r; /* made by the forwarder of another port, or by one before us */
}

static int add_loopback(struct netlink *n, sa_family_t family) {
  struct netlink_request q;
  const struct address loopback = address_loopback(family, 0);
  route_begin(&q, RTM_NEWROUTE, family, TRANSPARENT_TABLE, NULL, NULL);
  int r = call_once(n, &q);
  if (r < 0) return r;
  rule_begin(&q, RTM_NEWRULE, family, TRANSPARENT_TABLE, family == AF_INET6 ? 128 : 8);
  if (family == AF_INET6)
    netlink_put(&q, FRA_SRC, &loopback.v6.sin6_addr, 16);
  else
    netlink_put_u32(&q, FRA_SRC, htonl((uint32_t)IN_LOOPBACKNET << 24));
  return call_once(n, &q);
}

static int add_mark(struct netlink *n, sa_family_t family) {
  struct netlink_request q;
  rule_begin(&q, RTM_NEWRULE, family, TRANSPARENT_TABLE, 0);
  netlink_put_u32(&q, FRA_FWMARK, TRANSPARENT_MARK);
  netlink_put_u32(&q, FRA_FWMASK, UINT32_MAX);
  return call_once(n, &q);
}

static void udp_rule(struct netlink_request *q, uint16_t type, sa_family_t family, uint32_t table, uint16_t port) {
  const uint8_t protocol = IPPROTO_UDP;
  const struct fib_rule_port_range range = {.start = port, .end = port};
  rule_begin(q, type, family, table, 0);
  netlink_put(q, FRA_IP_PROTO, &protocol, sizeof protocol);
  netlink_put(q, FRA_SPORT_RANGE, &range, sizeof range);
}

/* A forwarder that was killed left its rule, and in its table clients of long ago: nobody asks that table any more. */
static int add_udp(struct netlink *n, sa_family_t family, uint32_t table, uint16_t port) {
  struct netlink_request q;
  int r = 0;
  for (int i = 0; r == 0 && i < 1000; i++) {
    udp_rule(&q, RTM_DELRULE, family, 0, port);
    r = netlink_call(n, &q);
  }
  udp_rule(&q, RTM_NEWRULE, family, table, port);
  return call_once(n, &q);
}

/* --- sockets ------------------------------------------------------------------------------------------------------- */

static int set_int(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

bool transparent_works(const struct transparent *t, const struct address *target) {
  return (target->family == AF_INET6 ? t->v6 : t->v4) && (t->mark || t->table || address_is_loopback(target));
}

bool transparent_fits(const struct transparent *t, const struct address *client, const struct address *target) {
  const struct address stand_in = address_stand_in(target->family);
  return transparent_works(t, target) && client->family == target->family && address_keepable(client) &&
         !address_same_host(client, &stand_in); /* whose route must stay */
}

int transparent_bind(const struct transparent *t, int fd, const struct address *client, bool any_port) {
  const bool v6 = client->family == AF_INET6;
  struct address from = *client;
  int r = v6 ? set_int(fd, SOL_IPV6, IPV6_TRANSPARENT, 1) : set_int(fd, SOL_IP, IP_TRANSPARENT, 1);
  if (r == 0 && t->mark) r = set_int(fd, SOL_SOCKET, SO_MARK, (int)TRANSPARENT_MARK);
  /* TCP: another port's forwarder may have the same client, and an old connection of it may still be in TIME_WAIT. */
  if (r == 0 && !t->table) r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (r < 0) return r;
  if (any_port) address_set_port(&from, 0);
  return bind(fd, &from.sa, address_len(&from)) < 0 ? -errno : 0;
}

/* One connection over loopback from the stand-in's address. */
static int try_out(const struct transparent *t, sa_family_t family) {
  struct address server = address_loopback(family, 0);
  const struct address client = address_stand_in(family);
  socklen_t len = address_len(&server);
  cleanup_fd int listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  cleanup_fd int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener < 0 || fd < 0 || bind(listener, &server.sa, len) < 0 || listen(listener, 1) < 0 ||
      getsockname(listener, &server.sa, &len) < 0)
    return -errno;
  int r = transparent_bind(t, fd, &client, false);
  if (r < 0) return r;
  if (connect(fd, &server.sa, len) < 0 && errno != EINPROGRESS) return -errno;
  /* Over loopback the answer is there at once, or it went another way. */
  struct pollfd p = {.fd = fd, .events = POLLOUT};
  return poll(&p, 1, TRY_MS) == 1 && (p.revents & (POLLOUT | POLLERR | POLLHUP)) == POLLOUT ? 0 : -EHOSTUNREACH;
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

/* Of the network namespace we are in, which is how /proc/sys/net always is. */
static int set_sysctl(const char *path) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd < 0 ? -errno : write_all(fd, "1\n", 2);
}

static bool set_marks(struct transparent *t) {
  return set_sysctl("/proc/sys/net/ipv4/tcp_fwmark_accept") == 0 && set_sysctl("/proc/sys/net/ipv4/fwmark_reflect") == 0 &&
         (!t->v4 || add_mark(&t->netlink, AF_INET) == 0) &&
         (!t->v6 || (set_sysctl("/proc/sys/net/ipv6/fwmark_reflect") == 0 && add_mark(&t->netlink, AF_INET6) == 0));
}

static bool set_family(struct transparent *t, sa_family_t family, int socket_type, uint16_t port, struct err *err) {
  int r = add_loopback(&t->netlink, family);
  if (socket_type == SOCK_DGRAM) {
    const struct address stand_in = address_stand_in(family);
    if (r == 0) r = add_udp(&t->netlink, family, t->table, port);
    if (r == 0) r = transparent_add_client(t, &stand_in); /* for good */
  }
  if (r == 0) r = try_out(t, family);
  if (r < 0 && !err->step[0]) err_set(err, -r, "client addresses", "%s", family == AF_INET6 ? "IPv6" : "IPv4");
  return r == 0;
}

void transparent_init(struct transparent *t, int socket_type, uint16_t port, struct err *err) {
  *t = (struct transparent){.netlink.fd = -1};
  *err = (struct err){0};
  int r = netlink_open(&t->netlink);
  if (r < 0) {
    err_set(err, -r, "client addresses", "netlink");
    return;
  }
  /* One table per forwarder that ever was in this namespace. */
  if (socket_type == SOCK_DGRAM) t->table = 0x70000000u + (uint32_t)getpid();
  bool v4 = set_family(t, AF_INET, socket_type, port, err), v6 = set_family(t, AF_INET6, socket_type, port, err);
  t->v4 = v4;
  t->v6 = v6;
  t->mark = socket_type == SOCK_STREAM && (v4 || v6) && set_marks(t);
}

int transparent_add_client(struct transparent *t, const struct address *client) {
  struct netlink_request q;
  const struct address loopback = address_loopback(client->family, 0);
  route_begin(&q, RTM_NEWROUTE, client->family, t->table, client, &loopback);
  return call_once(&t->netlink, &q);
}

int transparent_remove_client(struct transparent *t, const struct address *client) {
  struct netlink_request q;
  route_begin(&q, RTM_DELROUTE, client->family, t->table, client, NULL);
  return netlink_call(&t->netlink, &q);
}

void transparent_end(struct transparent *t) {
  if (t->netlink.fd >= 0) close(t->netlink.fd);
  t->netlink.fd = -1;
}
