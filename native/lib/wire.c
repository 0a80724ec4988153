/* Connections with deadlines: see wire.h. */
#include "wire.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>

#include "address.h"
#include "deadline.h"
#include "tls.h"

/* --- connecting --- */

static int await(int fd, short events, int64_t deadline) {
  struct pollfd p = {.fd = fd, .events = events};
  for (;;) {
    int r = poll(&p, 1, deadline_left(deadline));
    if (r > 0) return 0;
    if (r == 0) return -ETIMEDOUT;
    if (errno != EINTR) return -errno;
  }
}

static int dial(const struct address *to, int64_t deadline) {
  int code = 0;
  socklen_t len = sizeof code;
  cleanup_fd int fd = socket(to->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (connect(fd, &to->sa, address_len(to)) < 0 && errno != EINPROGRESS) return -errno;
  int r = await(fd, POLLOUT, deadline);
  if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len) < 0) r = -errno;
  if (r == 0) r = -code;
  if (r < 0) return r;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  return steal_fd(&fd);
}

static bool read_address(const char *host, uint16_t port, struct address *ret) {
  *ret = (struct address){0};
  if (inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1)
    ret->family = AF_INET;
  else if (inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1)
    ret->family = AF_INET6;
  else
    return false;
  address_set_port(ret, port);
  return true;
}

/* The addresses to try, in order; at most `max` of 4. None: the host is no address. */
static size_t candidates(const char *host, uint16_t port, struct address *ret) {
  size_t n = 0;
  if (*host && strcmp(host, "localhost") != 0) return read_address(host, port, ret) ? 1 : 0;
  ret[n++] = address_loopback(AF_INET, port);
  ret[n++] = address_loopback(AF_INET6, port);
  if (!*host && address_own(AF_INET, port, &ret[n])) n++;
  if (!*host && address_own(AF_INET6, port, &ret[n])) n++;
  return n;
}

static void spell(const struct address *a, char ret[WIRE_WHERE_MAX]) {
  const void *bytes = a->family == AF_INET ? (const void *)&a->v4.sin_addr : (const void *)&a->v6.sin6_addr;
  if (!inet_ntop(a->family, bytes, ret, WIRE_WHERE_MAX)) *ret = 0;
}

/* Nobody listens there, or that family is not to be had: the next address may do. */
static bool refused(int r) {
  return r == -ECONNREFUSED || r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL || r == -ENETUNREACH;
}

int wire_connect(const char *host, uint16_t port, int64_t deadline, char ret_where[WIRE_WHERE_MAX], struct wire *ret, struct err *err) {
  struct address list[4];
  const size_t n = candidates(host, port, list);
  *ret = (struct wire){.fd = -1};
  *ret_where = 0;
  if (!n) return err_set(err, EINVAL, "connect", "%s is no address", host);
  int first = 0, r = 0;
  for (size_t i = 0; i < n && (i == 0 || refused(r)); i++) {
    r = ret->fd = dial(&list[i], deadline);
    if (i == 0) first = r;
    if (i == 0 || r >= 0) spell(&list[i], ret_where);
  }
  if (r >= 0) return 0;
  /* Of several, what the first one said is what people expect to read. */
  if (refused(r)) r = first;
  ret->fd = -1;
  return err_set(err, -r, "connect", strchr(ret_where, ':') ? "[%s]:%u" : "%s:%u", ret_where, port);
}

/* --- talking --- */

int wire_start_tls(struct wire *w, const char *name, int64_t deadline, struct err *err) {
  return tls_start(w->fd, name, deadline, &w->tls, err);
}

int wire_send(struct wire *w, const void *bytes, size_t len, int64_t deadline, struct err *err) {
  if (w->tls) return tls_send(w->tls, bytes, len, deadline, err);
  for (const char *p = bytes; len;) {
    const ssize_t n = send(w->fd, p, len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return err_set(err, errno, "send", "%s", "");
    const int r = n >= 0 ? 0 : await(w->fd, POLLOUT, deadline);
    if (r < 0) return err_set(err, -r, "send", "%s", "");
    if (n < 0) continue;
    p += n;
    len -= (size_t)n;
  }
  return 0;
}

ssize_t wire_receive(struct wire *w, void *bytes, size_t size, int64_t deadline, struct err *err) {
  if (w->tls) return tls_receive(w->tls, bytes, size, deadline, err);
  for (;;) {
    const ssize_t n = recv(w->fd, bytes, size, 0);
    /* One that always has a byte for us must not hold us: the clock is looked at each time. */
    if (n >= 0 && deadline_left(deadline) != 0) return n;
    if (n >= 0) return err_set(err, ETIMEDOUT, "receive", "%s", "");
    if (errno != EAGAIN && errno != EINTR) return err_set(err, errno, "receive", "%s", "");
    const int r = await(w->fd, POLLIN, deadline);
    if (r < 0) return err_set(err, -r, "receive", "%s", "");
  }
}

void wire_close(struct wire *w) {
  tls_end(w->tls);
  if (w->fd >= 0) close(w->fd);
  *w = (struct wire){.fd = -1};
}
