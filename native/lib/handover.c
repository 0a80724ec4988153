/* The receiving side of the log handover: see handover.h. */
#include "handover.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "fdmsg.h"
#include "relay.h"
#include "tail.h"

int handover_listen(int dir, struct err *err) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/" RELAY_SOCKET, dir); /* any length of path, see relay.c */
  if (unlinkat(dir, RELAY_SOCKET, 0) < 0 && errno != ENOENT) return err_set(err, errno, "unlink", RELAY_SOCKET);
  cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return err_set(err, errno, "socket", RELAY_SOCKET);
  mode_t mask = umask(0177);
  int r = bind(fd, (struct sockaddr *)&addr, sizeof addr);
  umask(mask);
  if (r < 0 || listen(fd, 64) < 0) return err_set(err, errno, "listen", RELAY_SOCKET);
  return steal_fd(&fd);
}

int handover_accept(int listener) {
  cleanup_fd int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return errno == EINTR || errno == ECONNABORTED ? -EAGAIN : -errno;
  struct ucred peer;
  socklen_t len = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid()) return -EAGAIN;
  return steal_fd(&fd);
}

int handover_receive(int connection, struct collector *c) {
  struct relay_header header;
  char fields[RELAY_FIELDS_MAX];
  int fds[RELAY_STREAMS];
  struct iovec iov[] = {{.iov_base = &header, .iov_len = sizeof header}, {.iov_base = fields, .iov_len = sizeof fields}};
  size_t n_fds;
  ssize_t n = fdmsg_receive(connection, iov, 2, fds, RELAY_STREAMS, &n_fds);
  if (n < 0 && n != -EMSGSIZE) return (int)n;
  struct {
    int32_t status;
    char bytes[TAIL_BYTES];
  } answer;
  size_t more = 0;
  if (n <= (ssize_t)sizeof header || header.version != RELAY_VERSION) {
    for (size_t i = 0; i < n_fds; i++) close(fds[i]);
    answer.status = -EINVAL;
  } else if (n_fds == 1 && header.streams == RELAY_STDIN_HOLD) {
    answer.status = collector_hold(c, fields, (size_t)n - sizeof header, fds[0]);
  } else if (!n_fds && header.streams == RELAY_STDIN_DROP) {
    answer.status = collector_let_go(c, fields, (size_t)n - sizeof header);
  } else if (!n_fds && header.streams >= RELAY_TAIL_BEGIN) {
    answer.status = header.streams == RELAY_TAIL_BEGIN ? collector_tail_begin(c, fields, (size_t)n - sizeof header)
                    : header.streams == RELAY_TAIL_ASK ? collector_tail_ask(c, fields, (size_t)n - sizeof header, answer.bytes, &more)
                                                       : -EINVAL;
  } else {
    answer.status = collector_add(c, header.streams, fds, n_fds, fields, (size_t)n - sizeof header);
  }
  /* The peer may have gone meanwhile, which is its own matter. */
  (void)send(connection, &answer, sizeof answer.status + more, MSG_NOSIGNAL);
  return answer.status;
}
