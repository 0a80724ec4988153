/* One question to the user's systemd: see manager.h. The wire format is of dbus.freedesktop.org/doc/dbus-specification.html. */
#include "manager.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "deadline.h"

enum { DEADLINE_MS = 1000, HEADER = 16, MESSAGE_MAX = 64 * 1024 };
enum { FIELD_PATH = 1, FIELD_INTERFACE = 2, FIELD_MEMBER = 3, FIELD_REPLY_SERIAL = 5, FIELD_DESTINATION = 6, FIELD_SIGNATURE = 8 };

/* --- writing --- */

struct out {
  unsigned char *buf;
  size_t size, len;
  bool full;
};

static void put(struct out *o, const void *bytes, size_t len) {
  if (o->full || o->len + len > o->size) {
    o->full = true;
    return;
  }
  memcpy(o->buf + o->len, bytes, len);
  o->len += len;
}

static void put_align(struct out *o, size_t to) {
  static const unsigned char zero[8];
  put(o, zero, (to - o->len % to) % to);
}

static void put_u32(struct out *o, uint32_t value) {
  const unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
                                  (unsigned char)(value >> 24)};
  put_align(o, 4);
  put(o, bytes, 4);
}

static void put_string(struct out *o, const char *text) {
  put_u32(o, (uint32_t)strlen(text));
  put(o, text, strlen(text) + 1);
}

/* A header field: struct of a code and a variant of a string ('s'), an object path ('o') or a signature ('g'). */
static void put_field(struct out *o, unsigned char code, char type, const char *value) {
  const unsigned char start[4] = {code, 1, (unsigned char)type, 0};
  put_align(o, 8);
  put(o, start, 4);
  if (type != 'g') {
    put_string(o, value);
    return;
  }
  unsigned char len = (unsigned char)strlen(value);
  put(o, &len, 1);
  put(o, value, len + 1u);
}

int manager_call(unsigned char *buf, size_t size, uint32_t serial, const char *destination, const char *path, const char *interface,
                 const char *member, const char *const *args, size_t n_args) {
  static const unsigned char start[4] = {'l', 1 /* method call */, 0, 1 /* version */};
  char signature[9] = "";
  struct out o = {.buf = buf, .size = size};
  if (n_args > sizeof signature - 1) return -E2BIG;
  memset(signature, 's', n_args);
  put(&o, start, sizeof start);
  put_u32(&o, 0); /* the body's length, below */
  put_u32(&o, serial);
  put_u32(&o, 0); /* the fields' length, below */
  put_field(&o, FIELD_PATH, 'o', path);
  put_field(&o, FIELD_DESTINATION, 's', destination);
  put_field(&o, FIELD_INTERFACE, 's', interface);
  put_field(&o, FIELD_MEMBER, 's', member);
  if (n_args) put_field(&o, FIELD_SIGNATURE, 'g', signature);
  size_t fields_end = o.len;
  put_align(&o, 8);
  size_t body = o.len;
  for (size_t i = 0; i < n_args; i++) put_string(&o, args[i]);
  if (o.full) return -E2BIG;
  size_t len = o.len;
  o.len = 4;
  put_u32(&o, (uint32_t)(len - body));
  o.len = 12;
  put_u32(&o, (uint32_t)(fields_end - HEADER));
  return (int)len;
}

int manager_unit_path(const char *unit, char *ret, size_t size) {
  size_t n = (size_t)snprintf(ret, size, "/org/freedesktop/systemd1/unit/");
  for (const char *p = unit; *p; p++) {
    bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (p != unit && *p >= '0' && *p <= '9');
    if (n + 4 > size) return -ENAMETOOLONG;
    if (plain)
      ret[n++] = *p;
    else
      n += (size_t)sprintf(ret + n, "_%02x", (unsigned char)*p);
  }
  ret[n] = 0;
  return *unit ? 0 : -EINVAL;
}

/* --- reading --- */

static uint32_t get_u32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The serial that a message answers, out of its header fields; 0 when there is none. */
static uint32_t reply_serial(const unsigned char *buf, size_t end) {
  for (size_t at = HEADER; at + 8 <= end; at = (at + 7) & ~(size_t)7) {
    unsigned char code = buf[at];
    char type = (char)buf[at + 2];
    at += 4;
    if (buf[at - 3] != 1) return 0;
    if (type == 'u') {
      if (code == FIELD_REPLY_SERIAL) return get_u32(buf + at);
      at += 4;
    } else if (type == 'g') {
      at += 2u + buf[at];
    } else if (type == 's' || type == 'o') {
      uint32_t len = get_u32(buf + at);
      if (len > end) return 0;
      at += 5u + len;
    } else {
      return 0;
    }
  }
  return 0;
}

int manager_reply(const unsigned char *buf, size_t len, unsigned *ret_type, uint32_t *ret_to, bool *ret_has_value, uint32_t *ret_value) {
  if (len < HEADER) return 0;
  uint32_t body_len = get_u32(buf + 4), fields_len = get_u32(buf + 12);
  if (buf[0] != 'l' || body_len > MESSAGE_MAX || fields_len > MESSAGE_MAX) return -EBADMSG;
  size_t fields_end = HEADER + fields_len, body = (fields_end + 7) & ~(size_t)7, end = body + body_len;
  if (end > MESSAGE_MAX) return -EBADMSG;
  if (len < end) return 0;
  *ret_type = buf[1];
  *ret_to = reply_serial(buf, fields_end);
  /* A variant of uint32: signature of length 1, 'u', NUL, one byte of padding, the number. */
  *ret_has_value = body_len == 8 && buf[body] == 1 && buf[body + 1] == 'u' && !buf[body + 2];
  if (*ret_has_value) *ret_value = get_u32(buf + body + 4);
  return (int)end;
}

/* --- the connection --- */

static int connect_to(const char *path, int64_t deadline) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof addr.sun_path) return -ENAMETOOLONG;
  strcpy(addr.sun_path, path);
  cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (sock < 0) return -errno;
  while (connect(sock, (struct sockaddr *)&addr, sizeof addr) < 0) {
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

/* More bytes to the end of `buf`. */
static int receive(int sock, unsigned char *buf, size_t size, size_t *len, int64_t deadline) {
  for (;;) {
    if (*len == size) return -EBADMSG;
    ssize_t n = recv(sock, buf + *len, size - *len, 0);
    if (n > 0) {
      *len += (size_t)n;
      return 0;
    }
    if (n == 0) return -ECONNRESET;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return -errno;
    int r = await(sock, POLLIN, deadline);
    if (r < 0) return r;
  }
}

/* Sends words of the authentication and waits for the line that answers them. */
static int converse(int sock, const char *words, size_t n, unsigned char *buf, size_t size, size_t *len, int64_t deadline) {
  *len = 0;
  int r = send_all(sock, words, n, deadline);
  while (r == 0 && !(*len >= 2 && !memcmp(buf + *len - 2, "\r\n", 2))) r = receive(sock, buf, size, len, deadline);
  return r;
}

static bool answers(const unsigned char *buf, size_t len, const char *word) {
  return len >= strlen(word) && !memcmp(buf, word, strlen(word));
}

/*
 * "Authentication protocol" of the specification: EXTERNAL without an identity, which leaves it to the socket's credentials to say who we
 * are: our own uid is 0 to us in the pod's user namespace, and something else to the manager. Leaves what follows in buf.
 */
static int authenticate(int sock, unsigned char *buf, size_t size, size_t *len, int64_t deadline) {
  static const char hello[] = "\0AUTH EXTERNAL\r\n", data[] = "DATA\r\n", begin[] = "BEGIN\r\n";
  int r = converse(sock, hello, sizeof hello - 1, buf, size, len, deadline);
  if (r == 0 && answers(buf, *len, "DATA")) r = converse(sock, data, sizeof data - 1, buf, size, len, deadline);
  if (r == 0 && !answers(buf, *len, "OK ")) r = -EACCES;
  *len = 0;
  return r < 0 ? r : send_all(sock, begin, sizeof begin - 1, deadline);
}

/* Reads messages until the answer to `serial` comes; others (NameAcquired, say) are passed over. */
static int await_reply(int sock, unsigned char *buf, size_t size, size_t *len, uint32_t serial, unsigned *ret_value, int64_t deadline) {
  for (;;) {
    unsigned type;
    uint32_t to, value = 0;
    bool has_value;
    int n = manager_reply(buf, *len, &type, &to, &has_value, &value);
    if (n < 0) return n;
    if (n == 0) {
      int r = receive(sock, buf, size, len, deadline);
      if (r < 0) return r;
      continue;
    }
    memmove(buf, buf + n, *len - (size_t)n);
    *len -= (size_t)n;
    if (to != serial) continue;
    if (type != 2) return -ENOENT;
    if (!ret_value) return 0;
    *ret_value = value;
    return has_value ? 0 : -EBADMSG;
  }
}

static int ask(const char *socket_path, bool bus, const char *object, unsigned *ret, int64_t deadline) {
  static const char *const args[] = {"org.freedesktop.systemd1.Service", "NRestarts"};
  unsigned char call[1024], in[4096];
  size_t len = 0;
  cleanup_fd int sock = connect_to(socket_path, deadline);
  if (sock < 0) return sock;
  int r = authenticate(sock, in, sizeof in, &len, deadline);
  if (r == 0 && bus) {
    int n = manager_call(call, sizeof call, 1, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello", NULL, 0);
    r = send_all(sock, call, (size_t)n, deadline);
    if (r == 0) r = await_reply(sock, in, sizeof in, &len, 1, NULL, deadline);
  }
  if (r < 0) return r;
  int n = manager_call(call, sizeof call, 2, "org.freedesktop.systemd1", object, "org.freedesktop.DBus.Properties", "Get", args, 2);
  if (n < 0) return n;
  r = send_all(sock, call, (size_t)n, deadline);
  return r < 0 ? r : await_reply(sock, in, sizeof in, &len, 2, ret, deadline);
}

int manager_restarts(const char *unit, unsigned *ret) {
  const int64_t deadline = clock_ms() + DEADLINE_MS;
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  char object[512], path[256];
  int r = manager_unit_path(unit, object, sizeof object);
  if (r < 0 || !runtime) return r < 0 ? r : -ENOENT;
  if (snprintf(path, sizeof path, "%s/systemd/private", runtime) >= (int)sizeof path) return -ENAMETOOLONG;
  r = ask(path, false, object, ret, deadline);
  if (r == 0 || r == -ENOENT || r == -ETIMEDOUT) return r;
  snprintf(path, sizeof path, "%s/bus", runtime);
  return ask(path, true, object, ret, deadline);
}
