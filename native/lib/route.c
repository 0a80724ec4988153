/* Default routes: see route.h. Files of proc(5), because they need no message parsing. */
#include "route.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

enum { UP = 0x1, REJECT = 0x200, LIMIT = 16 * 1024 * 1024 };

/* Iface Destination Gateway Flags RefCnt Use Metric Mask ... */
static bool v4_default(const char *line) {
  char iface[32];
  unsigned destination, gateway, flags, mask;
  return sscanf(line, "%31s %x %x %x %*s %*s %*s %x", iface, &destination, &gateway, &flags, &mask) == 5 && !destination && !mask &&
         (flags & UP) && !(flags & REJECT);
}

/* Destination Prefix Source Prefix NextHop Metric RefCnt Use Flags Iface */
static bool v6_default(const char *line) {
  char destination[33], iface[32];
  unsigned prefix, flags;
  return sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %x %31s", destination, &prefix, &flags, iface) == 4 && !prefix &&
         strspn(destination, "0") == 32 && (flags & UP) && !(flags & REJECT) && strcmp(iface, "lo");
}

static bool any_line(const char *text, bool (*test)(const char *)) {
  for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
    if (test(line)) return true;
  return false;
}

bool route_has_default(const char *v4, const char *v6) {
  return any_line(v4, v4_default) || any_line(v6, v6_default);
}

bool route_present(void) {
  cleanup_free char *v4 = NULL, *v6 = NULL;
  (void)read_file_at(AT_FDCWD, "/proc/net/route", LIMIT, &v4, NULL);
  (void)read_file_at(AT_FDCWD, "/proc/net/ipv6_route", LIMIT, &v6, NULL); /* not there without IPv6 */
  return route_has_default(v4 ? v4 : "", v6 ? v6 : "");
}

int route_watch(void) {
  cleanup_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  struct sockaddr_nl addr = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
  return bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ? -errno : steal_fd(&fd);
}

void route_drain(int watch) {
  char buf[8192];
  while (recv(watch, buf, sizeof buf, 0) > 0 || errno == ENOBUFS || errno == EINTR) {
  }
}
