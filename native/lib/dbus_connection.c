/* A connection to a D-Bus peer: see dbus.h. */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "dbus.h"
#include "deadline.h"

static int connect_to(const char *path, int64_t deadline) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  const size_t len = strlen(path);
  if (!len || len >= sizeof addr.sun_path) return -ENAMETOOLONG;
  memcpy(addr.sun_path, path, len);
  socklen_t size = sizeof addr;
  if (path[0] == '@') {
    addr.sun_path[0] = 0;
    size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
  }
  cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (sock < 0) return -errno;
  while (connect(sock, (struct sockaddr *)&addr, size) < 0) {
    if (errno != EAGAIN && errno != EINTR) return -errno; /* EAGAIN: the queue of connections is full, unix(7) */
    if (deadline_left(deadline) == 0) return -ETIMEDOUT;
    (void)poll(NULL, 0, 5);
  }
  return steal_fd(&sock);
}

static int await(int sock, short events, int64_t deadline) {
  struct pollfd p = {.fd = sock, .events = events};
  int r;
  do {
    r = poll(&p, 1, deadline_left(deadline));
  } while (r < 0 && errno == EINTR);
  return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

static int send_all(int sock, const void *bytes, size_t len, int64_t deadline) {
  for (const char *p = bytes; len;) {
    ssize_t n = send(sock, p, len, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return -errno;
    if (n < 0) {
      int r = await(sock, POLLOUT, deadline);
      if (r < 0) return r;
      continue;
    }
    p += n;
    len -= (size_t)n;
  }
  return 0;
}

/* More bytes to the end of the buffer. */
static int receive(struct dbus *d, int64_t deadline) {
  for (;;) {
    if (d->len == sizeof d->buf) return -EBADMSG;
    ssize_t n = recv(d->sock, d->buf + d->len, sizeof d->buf - d->len, 0);
    if (n > 0) {
      d->len += (size_t)n;
      return 0;
    }
    if (n == 0) return -ECONNRESET;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return -errno;
    int r = await(d->sock, POLLIN, deadline);
    if (r < 0) return r;
  }
}

/* --- authentication --- */

/* Whether the buffer has two whole lines. */
static bool has_answers(const struct dbus *d) {
  const unsigned char *first = memmem(d->buf, d->len, "\r\n", 2);
  return first && memmem(first + 2, d->len - (size_t)(first + 2 - d->buf), "\r\n", 2);
}

/*
 * "Authentication protocol" of the specification: EXTERNAL without an identity, which leaves it to the socket's credentials to say who we
 * are: our own uid is 0 to us in a user namespace, and something else to the peer. All in one, as systemd's own programs say it: what the
 * manager reads along with BEGIN it forgets until more comes, and that would be our call.
 */
static int authenticate(struct dbus *d, int64_t deadline) {
  static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", data[] = "DATA\r\nOK ";
  d->len = 0;
  int r = send_all(d->sock, words, sizeof words - 1, deadline);
  while (r == 0 && !has_answers(d)) r = receive(d, deadline);
  if (r == 0 && memcmp(d->buf, data, sizeof data - 1)) r = -EACCES;
  d->len = 0;
  return r;
}

/* --- messages --- */

int dbus_send(struct dbus *d, const struct dbus_call *call, uint32_t *ret_serial, int64_t deadline) {
  const size_t size = call->body_len + 2048;
  cleanup_free unsigned char *buf = malloc(size);
  if (!buf) return -ENOMEM;
  int n = dbus_message(buf, size, ++d->serial, call);
  if (n < 0) return n;
  *ret_serial = d->serial;
  return send_all(d->sock, buf, (size_t)n, deadline);
}

int dbus_next(struct dbus *d, struct dbus_in *ret, int64_t deadline) {
  memmove(d->buf, d->buf + d->taken, d->len - d->taken);
  d->len -= d->taken;
  d->taken = 0;
  for (;;) {
    int n = dbus_parse(d->buf, d->len, ret);
    if (n < 0) return n;
    d->taken = (size_t)n;
    if (n > 0) return 0;
    int r = receive(d, deadline);
    if (r < 0) return r;
  }
}

int dbus_connect(struct dbus *d, const char *path, bool bus, int64_t deadline) {
  static const struct dbus_call hello = {
      .destination = "org.freedesktop.DBus", .path = "/org/freedesktop/DBus", .interface = "org.freedesktop.DBus", .member = "Hello"};
  struct dbus_in in = {0};
  uint32_t serial = 0;
  d->serial = 0;
  d->len = d->taken = 0;
  d->sock = connect_to(path, deadline);
  if (d->sock < 0) return d->sock;
  int r = authenticate(d, deadline);
  if (r == 0 && bus) r = dbus_send(d, &hello, &serial, deadline);
  while (r == 0 && bus && in.reply_to != serial) r = dbus_next(d, &in, deadline);
  if (r == 0 && bus && in.type != DBUS_RETURN) r = -EACCES;
  if (r < 0) dbus_close(d);
  return r;
}

void dbus_close(struct dbus *d) {
  if (d->sock >= 0) close(d->sock);
  d->sock = -1;
}
