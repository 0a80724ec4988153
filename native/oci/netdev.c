/* linux.netDevices: see netdev.h. */
#include "netdev.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/netlink.h"

enum { ADDRESSES_MAX = 64, ANSWER_MAX = 32 * 1024 };

struct address {
  struct ifaddrmsg fixed;
  unsigned char local[16];
  size_t size;
};
struct device {
  const char *name; /* in the container */
  struct address address[ADDRESSES_MAX];
  size_t n;
};

/* --- addresses: the kernel drops them with the move --- */

static void take_address(const struct nlmsghdr *m, unsigned index, struct device *d) {
  const struct ifaddrmsg *fixed = NLMSG_DATA(m);
  int len = (int)IFA_PAYLOAD(m);
  /* Global ones that somebody has set: link-local and temporary ones come anew by themselves. */
  if (fixed->ifa_index != index || fixed->ifa_scope != RT_SCOPE_UNIVERSE || !(fixed->ifa_flags & IFA_F_PERMANENT) || d->n == ADDRESSES_MAX)
    return;
  struct address *a = &d->address[d->n];
  a->fixed = *fixed;
  a->size = 0;
  for (const struct rtattr *attr = IFA_RTA(fixed); RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
    if (RTA_PAYLOAD(attr) > sizeof a->local) continue;
    /* IFA_LOCAL, where there is one, is our end of a point-to-point pair. */
    if (attr->rta_type == IFA_LOCAL || (attr->rta_type == IFA_ADDRESS && !a->size)) {
      a->size = RTA_PAYLOAD(attr);
      memcpy(a->local, RTA_DATA(attr), a->size);
    }
  }
  if (a->size) d->n++;
}

static int list_addresses(unsigned index, struct device *d) {
  struct netlink netlink;
  struct netlink_request request;
  const struct ifaddrmsg all = {.ifa_family = AF_UNSPEC};
  int r = netlink_open(&netlink);
  if (r < 0) return r;
  cleanup_fd int fd = netlink.fd;
  cleanup_free char *answer = malloc(ANSWER_MAX);
  if (!answer) return -ENOMEM;
  netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &all, sizeof all);
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (send(fd, &request, request.header.nlmsg_len, 0) < 0) return -errno;
  for (;;) {
    ssize_t n = recv(fd, answer, ANSWER_MAX, 0);
    if (n < 0) return -errno;
    unsigned left = (unsigned)n;
    for (const struct nlmsghdr *m = (const struct nlmsghdr *)answer; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left)) {
      if (m->nlmsg_type == NLMSG_DONE) return 0;
      if (m->nlmsg_type == NLMSG_ERROR) return ((const struct nlmsgerr *)NLMSG_DATA(m))->error;
      if (m->nlmsg_type == RTM_NEWADDR) take_address(m, index, d);
    }
  }
}

/* --- the move --- */

static int move(unsigned index, const char *name, pid_t pid) {
  struct netlink netlink;
  struct netlink_request request;
  const struct ifinfomsg which = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index};
  int r = netlink_open(&netlink);
  if (r < 0) return r;
  cleanup_fd int owned = netlink.fd;
  netlink_begin(&request, RTM_SETLINK, 0, &which, sizeof which);
  netlink_put_u32(&request, IFLA_NET_NS_PID, (uint32_t)pid);
  netlink_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
  return netlink_call(&netlink, &request);
}

/* In the container's network namespace. */
static int settle(const struct device *d) {
  struct netlink netlink;
  struct netlink_request request;
  struct ifreq up = {.ifr_flags = IFF_UP};
  const unsigned index = if_nametoindex(d->name);
  if (!index) return -errno;
  int r = netlink_open(&netlink);
  if (r < 0) return r;
  cleanup_fd int owned = netlink.fd;
  for (size_t i = 0; r == 0 && i < d->n; i++) {
    struct ifaddrmsg fixed = d->address[i].fixed;
    fixed.ifa_index = index;
    netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &fixed, sizeof fixed);
    netlink_put(&request, IFA_LOCAL, d->address[i].local, d->address[i].size);
    netlink_put(&request, IFA_ADDRESS, d->address[i].local, d->address[i].size);
    r = netlink_call(&netlink, &request);
  }
  cleanup_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  snprintf(up.ifr_name, sizeof up.ifr_name, "%s", d->name);
  if (r == 0 && (sock < 0 || ioctl(sock, SIOCGIFFLAGS, &up) < 0)) r = -errno;
  up.ifr_flags |= IFF_UP;
  if (r == 0 && ioctl(sock, SIOCSIFFLAGS, &up) < 0) r = -errno;
  return r;
}

/* We stay in our own network namespace: another process does what is to be done in the container's. */
static int settle_there(const struct device *d, int pidfd) {
  int status;
  pid_t pid = fork();
  if (pid == 0) _exit(setns(pidfd, CLONE_NEWNET) < 0 ? errno : -settle(d));
  if (pid < 0) return -errno;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int oci_net_devices_move(const struct oci_spec *spec, int pidfd, pid_t pid, struct err *err) {
  for (size_t i = 0; i < spec->n_net_devices; i++) {
    const char *host = spec->net_devices[i].name;
    struct device d = {.name = spec->net_devices[i].new_name ? spec->net_devices[i].new_name : host};
    const unsigned index = if_nametoindex(host);
    if (!index) return err_set(err, errno, "netDevices", "%s", host);
    int r = list_addresses(index, &d);
    if (r == 0) r = move(index, d.name, pid);
    if (r == 0) r = settle_there(&d, pidfd);
    if (r < 0) return err_set(err, -r, "netDevices", "%s", host);
  }
  return 0;
}
