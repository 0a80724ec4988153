/* The sending side of the log handover: see relay.h. */
#include "relay.h"

#include <jansson.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "deadline.h"
#include "fdmsg.h"
#include "tail.h"

/* ASK_MS: of a container that has ended, whose next start waits. */
enum { DEADLINE_MS = 10 * 1000, RETRY_MS = 20, ASK_MS = 3 * 1000 };

/* --- fields --- */

struct buffer {
  char *bytes;
  size_t len;
};

/* NAME=value\n, or NAME\n<little-endian 64 bit length>value\n where the value has a newline. */
static int add_field(struct buffer *b, const char *name, const char *value, size_t len) {
  size_t name_len = strlen(name);
  if (b->len + name_len + len + 10 > RELAY_FIELDS_MAX) return -E2BIG;
  char *p = b->bytes + b->len;
  memcpy(p, name, name_len);
  p += name_len;
  if (memchr(value, '\n', len)) {
    *p++ = '\n';
    for (int i = 0; i < 8; i++) *p++ = (char)((uint64_t)len >> (8 * i));
  } else {
    *p++ = '=';
  }
  memcpy(p, value, len);
  p += len;
  *p++ = '\n';
  b->len = (size_t)(p - b->bytes);
  return 0;
}

/* journald drops fields of other names without a word, and those with a leading underscore are its own. */
static bool name_ok(const char *name) {
  static const char *const ours[] = {"MESSAGE", "PRIORITY", "USER_UNIT", "SYSLOG_IDENTIFIER", "CONTAINER_PARTIAL_MESSAGE"};
  size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
  if (!len || name[len] || len > 64 || name[0] == '_' || (name[0] >= '0' && name[0] <= '9')) return false;
  for (size_t i = 0; i < N_ELEMENTS(ours); i++)
    if (!strcmp(name, ours[i])) return false;
  return true;
}

int relay_fields_pack(const char *unit, const char *identifier, const char *fields_json, char **ret, size_t *ret_len, struct err *err) {
  cleanup_free char *bytes = malloc(RELAY_FIELDS_MAX);
  if (!bytes) return err_set(err, ENOMEM, "log fields", "%s", unit);
  struct buffer b = {.bytes = bytes};
  int r = add_field(&b, "USER_UNIT", unit, strlen(unit));
  if (r == 0) r = add_field(&b, "SYSLOG_IDENTIFIER", identifier, strlen(identifier));
  if (r == 0 && fields_json) {
    json_t *root = json_loads(fields_json, 0, NULL);
    const char *name;
    json_t *value;
    if (!json_is_object(root)) r = err_set(err, EINVAL, "log fields", "not a JSON object");
    json_object_foreach(root, name, value) {
      if (r < 0) break;
      if (!name_ok(name) || !json_is_string(value))
        r = err_set(err, EINVAL, "log fields", "%s", name);
      else
        r = add_field(&b, name, json_string_value(value), json_string_length(value));
    }
    json_decref(root);
  }
  if (r == -E2BIG) return err_set(err, E2BIG, "log fields", "%s", unit);
  if (r < 0) return r;
  *ret = bytes;
  bytes = NULL;
  *ret_len = b.len;
  return 0;
}

/* --- handover --- */

/* Connects by way of /proc/self/fd, because the path of a run folder may be longer than the 108 bytes of sun_path. */
static int connect_infra(int infra_dir, int64_t deadline) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/" RELAY_SOCKET, infra_dir);
  for (;;) {
    cleanup_fd int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (sock < 0) return -errno;
    if (connect(sock, (struct sockaddr *)&addr, sizeof addr) == 0) return steal_fd(&sock);
    /* Not there yet, or left by an infra that died while the next one is starting: worth waiting for a while. */
    if (errno != ENOENT && errno != ECONNREFUSED && errno != EINTR && errno != EAGAIN) return -errno;
    int r = -errno;
    if (clock_ms() + RETRY_MS > deadline) return r;
    (void)poll(NULL, 0, RETRY_MS);
  }
}

struct answer {
  int32_t status;
  char bytes[TAIL_BYTES];
};

/* One attempt: 0, infra's own refusal (*ret_refused), or that the connection broke, because infra was killed. *ret_len: of the bytes. */
static int exchange(int infra_dir, const struct msghdr *msg, const int *fds, size_t n_fds, int64_t deadline, struct answer *ret,
                    size_t *ret_len, bool *ret_refused, struct err *err) {
  *ret_refused = false;
  cleanup_fd int sock = connect_infra(infra_dir, deadline);
  if (sock < 0) return err_set(err, -sock, "log handover", "connect to infra");
  int r = fdmsg_send(sock, msg, fds, n_fds);
  if (r < 0) return err_set(err, -r, "log handover", "send to infra");

  /* Infra's word that it reads from them; until then closing ours could end the pipes with lines in them. */
  struct pollfd p = {.fd = sock, .events = POLLIN};
  do {
    r = poll(&p, 1, deadline_left(deadline));
  } while (r < 0 && errno == EINTR);
  if (r < 0) return err_set(err, errno, "log handover", "poll");
  if (r == 0) return err_set(err, ETIMEDOUT, "log handover", "infra does not answer");
  ssize_t got = recv(sock, ret, sizeof *ret, 0);
  if (got < 0) return err_set(err, errno, "log handover", "receive from infra");
  if (got < (ssize_t)sizeof ret->status) return err_set(err, ECONNRESET, "log handover", "infra is gone");
  *ret_len = (size_t)got - sizeof ret->status;
  *ret_refused = ret->status < 0;
  return ret->status < 0 ? err_set(err, -ret->status, "log handover", "infra refused") : 0;
}

static int request(int infra_dir, uint32_t what, const char *unit, const int *fd, int64_t deadline, struct answer *ret, size_t *ret_len,
                   struct err *err) {
  cleanup_free char *key = xformat("USER_UNIT=%s\n", unit);
  if (!key) return err_set(err, ENOMEM, "log handover", "%s", unit);
  struct relay_header header = {.version = RELAY_VERSION, .streams = what};
  struct iovec iov[] = {{.iov_base = &header, .iov_len = sizeof header}, {.iov_base = key, .iov_len = strlen(key)}};
  const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
  bool refused;
  return exchange(infra_dir, &msg, fd, fd ? 1 : 0, deadline, ret, ret_len, &refused, err);
}

int relay_tail_begin(int infra_dir, const char *unit, struct err *err) {
  struct answer answer;
  size_t len;
  return request(infra_dir, RELAY_TAIL_BEGIN, unit, NULL, clock_ms() + DEADLINE_MS, &answer, &len, err);
}

int relay_tail_ask(int infra_dir, const char *unit, char *bytes, size_t size, size_t *ret_len, struct err *err) {
  struct answer answer;
  size_t len;
  int r = request(infra_dir, RELAY_TAIL_ASK, unit, NULL, clock_ms() + ASK_MS, &answer, &len, err);
  if (r < 0) return r;
  *ret_len = len < size ? len : size;
  memcpy(bytes, answer.bytes, *ret_len);
  return 0;
}

int relay_stdin_hold(int infra_dir, const char *unit, int fd, struct err *err) {
  struct answer answer;
  size_t len;
  return request(infra_dir, RELAY_STDIN_HOLD, unit, &fd, clock_ms() + DEADLINE_MS, &answer, &len, err);
}

int relay_stdin_drop(int infra_dir, const char *unit, struct err *err) {
  struct answer answer;
  size_t len;
  return request(infra_dir, RELAY_STDIN_DROP, unit, NULL, clock_ms() + DEADLINE_MS, &answer, &len, err);
}

int relay_hand_over(int infra_dir, int out_fd, int err_fd, int tty_fd, const char *unit, const char *identifier, const char *fields_json,
                    struct err *err) {
  const int64_t deadline = clock_ms() + DEADLINE_MS;
  cleanup_free char *fields = NULL;
  size_t fields_len = 0;
  int r = relay_fields_pack(unit, identifier, fields_json, &fields, &fields_len, err);
  if (r < 0) return r;

  const int given[RELAY_STREAMS] = {out_fd, err_fd, tty_fd};
  int fds[RELAY_STREAMS];
  size_t n = 0;
  struct relay_header header = {.version = RELAY_VERSION};
  for (unsigned i = 0; i < RELAY_STREAMS; i++) {
    if (given[i] < 0) continue;
    header.streams |= 1u << i;
    fds[n++] = given[i];
  }
  if (!n) return err_set(err, EINVAL, "log handover", "no descriptors");

  struct iovec iov[] = {{.iov_base = &header, .iov_len = sizeof header}, {.iov_base = fields, .iov_len = fields_len}};
  const struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
  /* Also an infra that was killed in between is soon followed by another, which may have the streams already (collector_add). */
  for (;;) {
    struct answer answer;
    size_t len;
    bool refused;
    r = exchange(infra_dir, &msg, fds, n, deadline, &answer, &len, &refused, err);
    if (refused || (r != -ECONNRESET && r != -EPIPE)) return r;
    if (clock_ms() + RETRY_MS > deadline) return r;
    (void)poll(NULL, 0, RETRY_MS);
  }
}
