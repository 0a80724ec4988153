/* Where in a pod a published port's server may listen: see targets.h. */
#include "targets.h"

bool target_address(const struct address *client, uint16_t port, unsigned i, struct address *ret) {
  const sa_family_t other = client->family == AF_INET6 ? AF_INET : AF_INET6, family = i % 2 ? other : client->family;
  if (i >= 2) return address_own(family, port, ret);
  *ret = address_loopback(family, port);
  return true;
}

enum from { CLIENT, CLIENT_ANY_PORT, PLAIN };

static int try_connect(const struct transparent *t, const struct address *client, const struct address *target, int socket_type,
                       enum from from) {
  cleanup_fd int fd = socket(target->family, socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int r = from == PLAIN ? 0 : transparent_bind(t, fd, client, from == CLIENT_ANY_PORT);
  if (r < 0) return r;
  if (connect(fd, &target->sa, address_len(target)) < 0 && errno != EINPROGRESS) return -errno;
  /* Within one machine the answer came while connect held the socket; it is noted by now, though not told. */
  int error = 0;
  socklen_t len = sizeof error;
  if (socket_type == SOCK_STREAM && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error) return -error;
  return steal_fd(&fd);
}

int target_connect(const struct transparent *t, const struct address *client, const struct address *target, int socket_type) {
  int r = -EADDRNOTAVAIL;
  for (enum from from = transparent_fits(t, client, target) ? CLIENT : PLAIN; from <= PLAIN; from++) {
    r = try_connect(t, client, target, socket_type, from);
    /* Descriptors and memory are short for every way; and who refuses one will refuse all. */
    if (r >= 0 || r == -ECONNREFUSED || r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS) break;
  }
  return r;
}
