/* One client of httpd: see client.h. */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Of linux/openat2.h, which musl does not come with. */
enum { RESOLVE_NO_MAGICLINKS = 0x02, RESOLVE_IN_ROOT = 0x10 };

static const char page[] =
    "<!doctype html>\n<html lang=\"en\"><title>podgen</title>\n<h1>It works</h1>\n<p>This pod is run by systemd.</p>\n</html>\n";

void say(int fd, const char *text) {
  for (size_t len = strlen(text); len;) {
    ssize_t n = write(fd, text, len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text += n;
    len -= (size_t)n;
  }
}

int64_t seconds_now(int clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec;
}

/* --- files --------------------------------------------------------------------------------------------------------- */

/* Opens below the root, which is "/" for symlinks and "..": nothing outside can be named. O_NONBLOCK: a fifo must not hold us up. */
static int open_path(int root, const char *path) {
  const struct {
    uint64_t flags, mode, resolve;
  } how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int fd;
  do {
    fd = root < 0 ? (errno = ENOENT, -1) : (int)syscall(SYS_openat2, root, path, &how, sizeof how);
  } while (fd < 0 && (errno == EAGAIN || errno == EINTR));
  return fd;
}

/* Finds what to send for a path; the status. `path` has room for index.html. */
static int find_file(struct client *c, int root, char *path, size_t size) {
  struct stat st;
  size_t len = strlen(path);
  bool folder = path[len - 1] == '/';
  if (folder && !put_text(path, size, &len, "index.html")) return 414;
  int fd = open_path(root, path);
  if (fd < 0 && !strcmp(path, "/index.html") && (errno == ENOENT || errno == EACCES)) {
    c->body = page;
    c->body_len = sizeof page - 1;
    return 200;
  }
  if (fd < 0) return errno == EACCES ? 403 : errno == ENAMETOOLONG ? 414 : 404;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
    c->file = fd;
    c->file_at = 0;
    c->file_end = st.st_size;
    return 200;
  }
  bool is_folder = S_ISDIR(st.st_mode);
  close(fd);
  return is_folder && !folder ? 301 : 404;
}

/* --- a client ------------------------------------------------------------------------------------------------------ */

void client_drop(struct client *c) {
  if (c->file) close(c->file);
  close(c->fd);
  c->fd = c->file = 0;
}

static void log_request(const struct client *c, const struct request *r, const struct reply *reply) {
  char line[1280];
  size_t len = 0;
  const char *words[] = {c->who, " \"", r->method, " ", r->target, "\" "};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) put_text(line, sizeof line, &len, words[i]);
  put_number(line, sizeof line, &len, (uint64_t)reply->status);
  put_text(line, sizeof line, &len, " ");
  put_number(line, sizeof line, &len, r->head ? 0 : reply->length);
  put_text(line, sizeof line, &len, "\n");
  say(1, line);
}

static void prepare(struct client *c, int root, struct request *r) {
  char location[sizeof r->target + 1];
  c->body = NULL;
  c->body_len = 0;
  struct reply reply = {
      .status = r->status ? r->status : find_file(c, root, r->path, sizeof r->path), .keep = r->keep, .now = seconds_now(CLOCK_REALTIME)};
  if (reply.status != 200) {
    c->body = http_reason(reply.status);
    c->body_len = strlen(c->body);
    reply.type = http_type(".txt");
  } else {
    reply.type = c->file ? http_type(r->path) : http_type(".html");
  }
  if (reply.status == 301) {
    /* Only the path, and one slash in front: "//host" would lead to another machine. */
    size_t len = 0, query = strcspn(r->target, "?#");
    const char *path = r->target + (*r->target == '/' ? strspn(r->target, "/") - 1 : 0);
    r->target[query] = 0;
    put_text(location, sizeof location, &len, path);
    put_text(location, sizeof location, &len, "/");
    reply.location = location;
  }
  reply.length = c->file ? (uint64_t)c->file_end : c->body_len;
  c->head_len = http_head(&reply, c->head, sizeof c->head);
  c->head_at = 0;
  c->keep = reply.keep;
  c->busy = true;
  log_request(c, r, &reply);
  if (!r->head) return;
  c->body_len = 0;
  if (c->file) close(c->file);
  c->file = 0;
}

/* Takes the next request out of what was read, if it is whole. */
static void take_request(struct client *c, int root) {
  struct request r;
  size_t used = http_parse(c->in, c->len, &r);
  if (!used && c->len < sizeof c->in) return;
  if (!used) {
    r.status = memchr(c->in, '\n', c->len) ? 431 : 414;
    used = c->len;
  }
  memmove(c->in, c->in + used, c->len - used);
  c->len -= used;
  prepare(c, root, &r);
}

/* Sends what the socket takes. 1: all of it; 0: more later; -1: broken. */
static int send_reply(struct client *c) {
  while (c->head_at < c->head_len || c->body_len || (c->file && c->file_at < c->file_end)) {
    ssize_t n;
    if (c->head_at < c->head_len) {
      n = send(c->fd, c->head + c->head_at, c->head_len - c->head_at, MSG_NOSIGNAL | (c->body_len || c->file ? MSG_MORE : 0));
      if (n > 0) c->head_at += (size_t)n;
    } else if (c->body_len) {
      n = send(c->fd, c->body, c->body_len, MSG_NOSIGNAL);
      if (n > 0) c->body += n, c->body_len -= (size_t)n;
    } else {
      n = sendfile(c->fd, c->file, &c->file_at, (size_t)(c->file_end - c->file_at));
      if (n == 0) return -1; /* the file became shorter: the promised length cannot be kept */
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN ? 0 : -1;
  }
  if (c->file) close(c->file);
  c->file = 0;
  c->busy = false;
  return 1;
}

/* The address as text: inet_ntop would bring printf with it. IPv6 is written without "::". */
static void name_client(struct client *c, const struct sockaddr *from) {
  const uint8_t *bytes = from->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)from)->sin6_addr.s6_addr
                                                     : (const uint8_t *)&((const struct sockaddr_in *)from)->sin_addr;
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  static const char hex[] = "0123456789abcdef";
  bool v4 = from->sa_family != AF_INET6;
  size_t len = 0;
  if (!v4 && !memcmp(bytes, mapped, sizeof mapped)) {
    v4 = true;
    bytes += sizeof mapped;
  }
  for (int i = 0; i < (v4 ? 4 : 8); i++) {
    if (i) put_text(c->who, sizeof c->who, &len, v4 ? "." : ":");
    if (v4) {
      put_number(c->who, sizeof c->who, &len, bytes[i]);
      continue;
    }
    const unsigned group = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    for (int shift = 12; shift >= 0; shift -= 4) {
      const char digit[2] = {hex[group >> shift & 15], 0};
      if (group >> shift || shift == 0) put_text(c->who, sizeof c->who, &len, digit);
    }
  }
}

/* Reads what came. False when the client is gone. */
static bool receive(struct client *c) {
  char ignored[512];
  char *to = c->ended ? ignored : c->in + c->len;
  ssize_t n = recv(c->fd, to, c->ended ? sizeof ignored : sizeof c->in - c->len, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
  if (n > 0 && !c->ended) c->len += (size_t)n;
  return true;
}

void client_serve(struct client *c, int root, short events) {
  c->since = seconds_now(CLOCK_MONOTONIC);
  if (!c->busy && (events & (POLLIN | POLLHUP | POLLERR)) && !receive(c)) {
    client_drop(c);
    return;
  }
  /* Requests may have come together. */
  while (!c->ended) {
    if (!c->busy) take_request(c, root);
    int r = c->busy ? send_reply(c) : 0;
    if (r < 0) client_drop(c);
    if (r <= 0) return;
    c->ended = !c->keep;
    if (c->ended) shutdown(c->fd, SHUT_WR);
  }
}

void client_start(struct client *c, int fd, const struct sockaddr *from) {
  memset(c, 0, offsetof(struct client, in));
  c->fd = fd;
  c->since = seconds_now(CLOCK_MONOTONIC);
  c->head_len = c->head_at = c->body_len = 0;
  c->file = 0;
  c->busy = c->keep = c->ended = false;
  name_client(c, from);
}
