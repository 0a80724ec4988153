/* Sockets passed by systemd: see listen_fds.h. */
#include "listen_fds.h"

#include <fcntl.h>

#include "number.h"

static int get_option(int fd, int name) {
  int value = -1;
  socklen_t len = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

static int take(int fd, int type, struct err *err) {
  int domain = get_option(fd, SO_DOMAIN);
  if (domain < 0) return err_set(err, -domain, "socket", "descriptor %d", fd);
  if (domain != AF_INET && domain != AF_INET6) return err_set(err, 0, "socket", "descriptor %d is of no internet protocol", fd);
  if (get_option(fd, SO_TYPE) != type) return err_set(err, 0, "socket", "descriptor %d is not of the protocol asked for", fd);
  if (type == SOCK_STREAM && get_option(fd, SO_ACCEPTCONN) != 1) return err_set(err, 0, "socket", "descriptor %d does not listen", fd);
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
    return err_set(err, errno, "socket", "descriptor %d", fd);
  return 0;
}

/* How many were passed to this very process. */
static int passed(struct err *err) {
  const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
  uint64_t p = 0, n = 0;
  if (pid && count && number_parse(pid, false, 1, INT32_MAX, &p) == 0 && p == (uint64_t)getpid() &&
      number_parse(count, false, 1, 1024, &n) == 0)
    return (int)n;
  err_set(err, 0, "socket", "no descriptors were passed (LISTEN_FDS): this is started by its socket unit");
  return -ENOENT;
}

int listen_fds_any(struct err *err) {
  int n = passed(err);
  for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + n; fd++) {
    int domain = get_option(fd, SO_DOMAIN);
    if (domain < 0) return err_set(err, -domain, "socket", "descriptor %d", fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return err_set(err, errno, "socket", "descriptor %d", fd);
  }
  return n;
}

int listen_fds(int type, struct err *err) {
  int n = passed(err);
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  if (n < 0) return n;
  for (int i = 0; i < n; i++) {
    int r = take(LISTEN_FDS_START + i, type, err);
    if (r < 0) return r;
  }
  return n;
}
