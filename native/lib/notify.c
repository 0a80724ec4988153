/* The service side of sd_notify(3), by hand: see notify.h. libsystemd would cost a millisecond of start-up. */
#include "notify.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fdmsg.h"

/* Sends `text`, with descriptor `fd` unless it is -1. 1 when sent, 0 without $NOTIFY_SOCKET. Protocol: sd_notify(3), "Notes". */
static int send_to_manager(const char *text, int fd) {
  const char *path = getenv("NOTIFY_SOCKET");
  if (!path || !*path) return 0;
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  size_t len = strlen(path);
  if ((path[0] != '/' && path[0] != '@') || !path[1]) return -EINVAL;
  if (len >= sizeof addr.sun_path) return -ENAMETOOLONG;
  memcpy(addr.sun_path, path, len);
  if (path[0] == '@') addr.sun_path[0] = 0; /* abstract */

  cleanup_fd int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (sock < 0) return -errno;
  struct iovec iov = {.iov_base = (char *)text, .iov_len = strlen(text)};
  const struct msghdr msg = {
      .msg_name = &addr, .msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len), .msg_iov = &iov, .msg_iovlen = 1};
  int r = fdmsg_send(sock, &msg, &fd, fd >= 0);
  return r < 0 ? r : 1;
}

int notify_send(const char *text) {
  return notify_send_fd(text, -1);
}

int notify_send_fd(const char *text, int fd) {
  int r = send_to_manager(text, fd);
  return r < 0 ? r : 0;
}

int notify_barrier(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  cleanup_fd int rd = ends[0];
  cleanup_fd int wr = ends[1];
  int r = send_to_manager("BARRIER=1", wr);
  if (r <= 0) return r;
  /* The manager closes its copy once it has read everything before it; ours must go first. */
  close(steal_fd(&wr));
  struct pollfd p = {.fd = rd};
  do {
    r = poll(&p, 1, NOTIFY_BARRIER_MS);
  } while (r < 0 && errno == EINTR);
  if (r < 0) return -errno;
  return r == 0 ? -ETIMEDOUT : 0;
}
