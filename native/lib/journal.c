/* The native journal protocol: see journal.h. */
#include "journal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fdmsg.h"

void journal_close(struct journal *j) {
  if (j->fd >= 0) close(j->fd);
  j->fd = -1;
}

static int journal_connect(struct journal *j) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  if (strlen(j->path) >= sizeof addr.sun_path) return -ENAMETOOLONG;
  strcpy(addr.sun_path, j->path);
  cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0) return -ENOTCONN;
  j->fd = steal_fd(&fd);
  return 0;
}

int journal_memfd(const struct iovec *iov, size_t n) {
  cleanup_fd int fd = memfd_create("podrt-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;
  for (size_t i = 0; i < n; i++) {
    int r = write_all(fd, iov[i].iov_base, iov[i].iov_len);
    if (r < 0) return r;
  }
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) return -errno;
  return steal_fd(&fd);
}

static int send_once(struct journal *j, const struct iovec *iov, size_t n, int fd) {
  const struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n};
  return fdmsg_send(j->fd, &msg, &fd, fd >= 0);
}

static int send_any_size(struct journal *j, const struct iovec *iov, size_t n) {
  int r = send_once(j, iov, n, -1);
  if (r != -EMSGSIZE && r != -ENOBUFS) return r;
  cleanup_fd int fd = journal_memfd(iov, n);
  return fd < 0 ? fd : send_once(j, NULL, 0, fd);
}

/* What a socket says when its peer went away, or was replaced by a new one at the same path. */
static bool peer_gone(int r) {
  return r == -ECONNREFUSED || r == -ECONNRESET || r == -ENOTCONN || r == -ENOENT || r == -EPIPE;
}

int journal_send(struct journal *j, const struct iovec *iov, size_t n) {
  int r = -ENOTCONN;
  /* Twice, because a journald that was restarted shows only by an error on the old connection. */
  for (int attempt = 0; attempt < 2 && peer_gone(r); attempt++) {
    if (j->fd < 0) r = journal_connect(j);
    if (j->fd < 0) return r;
    r = send_any_size(j, iov, n);
    if (peer_gone(r)) journal_close(j);
  }
  return peer_gone(r) ? -ENOTCONN : r;
}
