/* An HTTP client that asks once: see httpget.h; RFC 9110 and 9112. */
#include "httpget.h"

#include <ctype.h>
#include <strings.h>

#include "deadline.h"
#include "wire.h"

#define AGENT "podgen-probe"

/* What was read and not used yet. */
struct reader {
  struct wire *wire;
  int64_t deadline;
  size_t at, len, total;
  char bytes[4096];
};

static int bad(struct err *err, const char *what) {
  (void)err_set(err, 0, "HTTP", "%s", what);
  return -EPROTO;
}

/* 1: there is a byte; 0: the end. */
static int fill(struct reader *r, struct err *err) {
  if (r->at < r->len) return 1;
  const ssize_t n = wire_receive(r->wire, r->bytes, sizeof r->bytes, r->deadline, err);
  if (n <= 0) return (int)n;
  r->at = 0;
  r->len = (size_t)n;
  return 1;
}

/* A line without its end, cut at `size`. The head as a whole has a limit. */
static int read_line(struct reader *r, char *line, size_t size, struct err *err) {
  size_t n = 0;
  for (;;) {
    const int f = fill(r, err);
    if (f < 0) return f;
    if (f == 0) return bad(err, "the server closed the connection before its answer was whole");
    if (++r->total > HTTP_HEAD_MAX) return bad(err, "the head of the answer is longer than 32 KiB");
    const char c = r->bytes[r->at++];
    if (c == '\n') break;
    if (n + 1 < size) line[n++] = c;
  }
  if (n && line[n - 1] == '\r') n--;
  line[n] = 0;
  return 0;
}

/* --- the request --- */

static const char *header(const struct http_wish *w, const char *name) {
  const char *found = NULL;
  for (size_t i = 0; i < w->n_headers && !found; i++)
    if (!strcasecmp(w->headers[i].name, name)) found = w->headers[i].value;
  return found;
}

static int ask(const struct http_wish *w, const char *where, struct reader *r, struct err *err) {
  char *text = NULL;
  size_t len = 0;
  FILE *f = open_memstream(&text, &len);
  if (!f) return err_set(err, ENOMEM, "HTTP", "%s", "");
  const char *host = header(w, "Host");
  fprintf(f, "GET %s%s HTTP/1.1\r\n", w->path[0] == '/' ? "" : "/", w->path);
  if (host)
    fprintf(f, "Host: %s\r\n", host);
  else
    fprintf(f, strchr(where, ':') ? "Host: [%s]:%u\r\n" : "Host: %s:%u\r\n", where, w->port);
  if (!header(w, "User-Agent")) fputs("User-Agent: " AGENT "\r\n", f);
  if (!header(w, "Accept")) fputs("Accept: */*\r\n", f);
  for (size_t i = 0; i < w->n_headers; i++)
    if (strcasecmp(w->headers[i].name, "Host") != 0 && strcasecmp(w->headers[i].name, "Connection") != 0)
      fprintf(f, "%s: %s\r\n", w->headers[i].name, w->headers[i].value);
  fputs("Connection: close\r\n\r\n", f);
  int ret = fclose(f) < 0 ? err_set(err, ENOMEM, "HTTP", "%s", "") : wire_send(r->wire, text, len, r->deadline, err);
  free(text);
  return ret;
}

/* --- the answer --- */

struct head {
  int status;
  bool chunked;
  int64_t length; /* -1: not said */
  char location[2048];
};

/* HTTP/1.x SP 3DIGIT [SP reason] */
static int read_status(const char *line, int *ret, struct err *err) {
  if (strncmp(line, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)line[7]) || line[8] != ' ') return bad(err, "the answer is not HTTP/1");
  int status = 0;
  for (int i = 9; i < 12; i++) {
    if (!isdigit((unsigned char)line[i])) return bad(err, "the answer has no status");
    status = status * 10 + line[i] - '0';
  }
  if ((line[12] && line[12] != ' ') || status < 100) return bad(err, "the answer has no status");
  *ret = status;
  return 0;
}

/* The value of `line` if its name is this one; without spaces around. */
static char *value_of(char *line, const char *name) {
  const size_t n = strlen(name);
  if (strncasecmp(line, name, n) != 0 || line[n] != ':') return NULL;
  char *value = line + n + 1 + strspn(line + n + 1, " \t"), *end = value + strlen(value);
  while (end > value && (end[-1] == ' ' || end[-1] == '\t')) *--end = 0;
  return value;
}

static int read_head(struct reader *r, struct head *ret, struct err *err) {
  char line[2200] = "";
  int result;
  /* 1xx come before the answer proper. */
  do {
    *ret = (struct head){.length = -1};
    result = read_line(r, line, sizeof line, err);
    if (result == 0) result = read_status(line, &ret->status, err);
    while (result == 0 && (result = read_line(r, line, sizeof line, err)) == 0 && *line) {
      const char *value;
      char *end;
      if ((value = value_of(line, "Location")) && strlen(value) < sizeof ret->location) strcpy(ret->location, value);
      if ((value = value_of(line, "Transfer-Encoding"))) ret->chunked = strcasestr(value, "chunked") != NULL;
      if (!(value = value_of(line, "Content-Length"))) continue;
      errno = 0;
      ret->length = strtoll(value, &end, 10);
      if (!isdigit((unsigned char)*value) || *end || errno) result = bad(err, "the answer's Content-Length is no number");
    }
  } while (result == 0 && ret->status < 200);
  return result;
}

/* Passes over `n` bytes, or to the end where n is -1; no more than the body may have. */
static int skip(struct reader *r, int64_t n, size_t *left, struct err *err) {
  while (n != 0 && *left) {
    const int f = fill(r, err);
    if (f < 0) return f;
    if (f == 0) return n < 0 ? 0 : bad(err, "the server closed the connection before its answer was whole");
    size_t take = r->len - r->at;
    if (n > 0 && (int64_t)take > n) take = (size_t)n;
    if (take > *left) take = *left;
    r->at += take;
    *left -= take;
    if (n > 0) n -= (int64_t)take;
  }
  return 0;
}

static int read_chunks(struct reader *r, size_t *left, struct err *err) {
  while (*left) {
    char line[256], *end;
    int result = read_line(r, line, sizeof line, err);
    if (result < 0) return result;
    errno = 0;
    const long long size = strtoll(line, &end, 16);
    if (!isxdigit((unsigned char)*line) || size < 0 || errno) return bad(err, "a chunk of the answer has no length");
    if (size == 0) return 0;
    result = skip(r, size, left, err);
    if (result == 0 && *left) result = read_line(r, line, sizeof line, err);
    if (result < 0) return result;
  }
  return 0;
}

static int read_body(struct reader *r, const struct head *h, struct err *err) {
  size_t left = HTTP_BODY_MAX;
  if (h->status == 204 || h->status == 304) return 0;
  return h->chunked ? read_chunks(r, &left, err) : skip(r, h->length, &left, err);
}

/* One question and its answer; `where`: who gave it. */
static int exchange(const struct http_wish *w, int64_t deadline, char where[WIRE_WHERE_MAX], struct head *ret, struct err *err) {
  struct wire wire;
  char name[256] = "";
  int r = wire_connect(w->host, w->port, deadline, where, &wire, err);
  if (r < 0) return r;
  struct reader reader = {.wire = &wire, .deadline = deadline};
  const char *host = header(w, "Host");
  if (host && strlen(host) < sizeof name) {
    strcpy(name, host);
    if (*name != '[') name[strcspn(name, ":")] = 0;
  }
  if (w->tls) r = wire_start_tls(&wire, *name == '[' ? "" : name, deadline, err);
  if (r == 0) r = ask(w, where, &reader, err);
  if (r == 0) r = read_head(&reader, ret, err);
  if (r == 0) r = read_body(&reader, ret, err);
  wire_close(&wire);
  return r;
}

/* --- redirects --- */

static bool same_host(const char *at, size_t n, const char *host) {
  if (n >= 2 && *at == '[' && at[n - 1] == ']') {
    at++;
    n -= 2;
  }
  return strlen(host) == n && !strncasecmp(at, host, n);
}

int http_redirect(const char *location, const char *host, struct http_wish *w, char *room, size_t size) {
  bool tls = w->tls;
  unsigned long port = w->port;
  const char *path = location;
  const bool http = !strncasecmp(location, "http://", 7), https = !strncasecmp(location, "https://", 8);
  if (http || https || !strncmp(location, "//", 2)) {
    const char *at = strstr(location, "//") + 2;
    path = at + strcspn(at, "/?#");
    const char *bracket = *at == '[' ? memchr(at, ']', (size_t)(path - at)) : NULL;
    const char *colon = memchr(bracket ? bracket : at, ':', (size_t)(path - (bracket ? bracket : at)));
    if (!same_host(at, (size_t)((colon ? colon : path) - at), host)) return 0;
    if (http || https) tls = https;
    char *end = NULL;
    port = colon ? strtoul(colon + 1, &end, 10) : tls ? 443 : 80;
    if (colon && (end != path || !isdigit((unsigned char)colon[1]))) return -EPROTO;
  } else if (location[strcspn(location, ":/?#")] == ':') {
    return 0; /* another scheme */
  }
  if (!port || port > UINT16_MAX) return -EPROTO;
  const size_t len = strcspn(path, "#"), query = strcspn(w->path, "?");
  /* "b" beside "/a/x" is "/a/b"; "?q" is of the same path. */
  size_t keep = *path == '/' || !len ? 0 : query;
  if (keep && *path != '?')
    while (keep && w->path[keep - 1] != '/') keep--;
  if (keep + len + 2 > size) return -EPROTO;
  char *to = malloc(keep + len + 2);
  if (!to) return -ENOMEM;
  snprintf(to, keep + len + 2, "%.*s%.*s", (int)keep, w->path, (int)len, path);
  for (const char *c = to; *c; c++)
    if ((unsigned char)*c <= ' ' || *c == 0x7f) {
      free(to);
      return -EPROTO;
    }
  strcpy(room, *to ? to : "/");
  free(to);
  w->path = room;
  w->tls = tls;
  w->port = (uint16_t)port;
  return 1;
}

static bool is_redirect(const struct head *h) {
  const int s = h->status;
  return *h->location && (s == 301 || s == 302 || s == 303 || s == 307 || s == 308);
}

int http_get(const struct http_wish *wish, int64_t deadline, struct http_answer *ret, struct err *err) {
  struct http_wish w = *wish;
  char where[WIRE_WHERE_MAX], path[2 * 2048];
  struct head *h = malloc(sizeof *h);
  if (!h) return err_set(err, ENOMEM, "HTTP", "%s", "");
  int r;
  *ret = (struct http_answer){0};
  for (int redirects = 0;; redirects++) {
    r = exchange(&w, deadline, where, h, err);
    if (r < 0 || !is_redirect(h)) break;
    if (redirects == HTTP_REDIRECTS) {
      r = bad(err, "more than ten redirects");
      break;
    }
    const int to = http_redirect(h->location, where, &w, path, sizeof path);
    if (to < 0) r = bad(err, "a redirect to a bad address");
    ret->elsewhere = to == 0;
    if (to <= 0) break;
  }
  ret->status = h->status;
  free(h);
  return r;
}

int http_judge(const struct http_answer *answer, struct err *err) {
  if (answer->status >= 200 && answer->status < 400) return 0;
  (void)err_set(err, 0, "HTTP", "status %d", answer->status);
  return -EPROTO;
}
