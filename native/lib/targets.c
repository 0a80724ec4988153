/* Where in a pod a published port's server may listen, and whom it sees: see targets.h. */
#include "targets.h"

enum source { CLIENT, CLIENT_ANY_PORT, STAND_IN, OWN, PLAIN };

bool target_address(const struct transparent *t, const struct address *client, uint16_t port, unsigned i, struct address *ret) {
  const sa_family_t other = client->family == AF_INET6 ? AF_INET : AF_INET6, family = i % 2 ? other : client->family;
  const struct address loopback = address_loopback(family, port);
  const bool own_first = !address_is_loopback(client) && !transparent_works(t, &loopback);
  if ((i >= 2) != own_first) return address_own(family, port, ret);
  *ret = loopback;
  return true;
}

static enum source first_source(const struct transparent *t, const struct address *client, const struct address *target) {
  if (address_is_loopback(client)) return PLAIN;
  if (transparent_fits(t, client, target)) return CLIENT;
  return transparent_works(t, target) ? STAND_IN : OWN;
}

static int bind_source(const struct transparent *t, int fd, const struct address *client, sa_family_t family, enum source source) {
  struct address from = address_stand_in(family);
  switch (source) {
    case CLIENT:
    case CLIENT_ANY_PORT:
      return transparent_bind(t, fd, client, source == CLIENT_ANY_PORT);
    case STAND_IN:
      return transparent_bind(t, fd, &from, true);
    case OWN:
      if (!address_own(family, 0, &from)) return -EADDRNOTAVAIL;
      return bind(fd, &from.sa, address_len(&from)) < 0 ? -errno : 0;
    case PLAIN:
      return 0;
  }
  return -EINVAL;
}

static int try_connect(const struct transparent *t, const struct address *client, const struct address *target, int socket_type,
                       enum source source) {
  cleanup_fd int fd = socket(target->family, socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  int r = bind_source(t, fd, client, target->family, source);
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
  const enum source first = first_source(t, client, target), last = first == PLAIN ? PLAIN : OWN;
  for (enum source source = first; source <= last; source++) {
    r = try_connect(t, client, target, socket_type, source);
    /* Descriptors and memory are short for every way; and who refuses one will refuse all. */
    if (r >= 0 || r == -ECONNREFUSED || r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS) break;
  }
  return r;
}
