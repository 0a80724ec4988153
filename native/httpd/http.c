/* HTTP/1.1 without sockets: see http.h. No stdio: it would be most of the program. */
#include "http.h"

#include <string.h>
#include <strings.h>
#include <time.h>

/* --- text ---------------------------------------------------------------------------------------------------------- */

bool put_text(char *out, size_t size, size_t *len, const char *text) {
  size_t n = strlen(text);
  if (*len + n >= size) return false;
  memcpy(out + *len, text, n + 1);
  *len += n;
  return true;
}

bool put_number(char *out, size_t size, size_t *len, uint64_t number) {
  char digits[21];
  size_t at = sizeof digits;
  digits[--at] = 0;
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  return put_text(out, size, len, digits + at);
}

/* --- the request --------------------------------------------------------------------------------------------------- */

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The path out of a target (RFC 9112, 3.2): "/a%20b?q", or with "http://host" before it, as proxies send it. */
static int decode_path(const char *target, char *out, size_t size) {
  if (!strncasecmp(target, "http://", 7)) {
    target = strchr(target + 7, '/');
    if (!target) target = "/";
  }
  if (*target != '/') return 400;
  size_t n = 0;
  for (; *target && *target != '?' && *target != '#'; target++) {
    char c = *target;
    if (c == '%') {
      int high = hex(target[1]), low = high < 0 ? -1 : hex(target[2]);
      if (low < 0 || (high == 0 && low == 0)) return 400;
      c = (char)(high * 16 + low);
      target += 2;
    }
    if (n + 1 >= size) return 414;
    out[n++] = c;
  }
  out[n] = 0;
  return 0;
}

/* Copies a word, with '?' for what is not printable. False when it is too long. */
static bool copy_word(const char *from, size_t n, char *out, size_t size) {
  bool fits = n < size;
  if (!fits) n = size - 1;
  for (size_t i = 0; i < n; i++) out[i] = from[i] > 0x20 && from[i] < 0x7f ? from[i] : '?';
  out[n] = 0;
  return fits;
}

/* The value of a header between `at` and `end`, or NULL; *n is its length. */
static const char *find_header(const char *at, const char *end, const char *name, size_t *n) {
  const size_t len = strlen(name);
  while (at < end) {
    const char *eol = memchr(at, '\n', (size_t)(end - at));
    if (!eol) eol = end;
    if ((size_t)(eol - at) > len && !strncasecmp(at, name, len) && at[len] == ':') {
      for (at += len + 1; at < eol && (*at == ' ' || *at == '\t'); at++) continue;
      while (eol > at && (eol[-1] == '\r' || eol[-1] == ' ')) eol--;
      *n = (size_t)(eol - at);
      return at;
    }
    at = eol + 1;
  }
  return NULL;
}

/* METHOD SP TARGET SP HTTP/1.x */
static int parse_line(const char *line, const char *eol, struct request *r, bool *ret_11) {
  if (eol > line && eol[-1] == '\r') eol--;
  const char *a = memchr(line, ' ', (size_t)(eol - line)), *b = a ? memchr(a + 1, ' ', (size_t)(eol - a - 1)) : NULL;
  if (!b) return 400;
  copy_word(line, (size_t)(a - line), r->method, sizeof r->method);
  if (!copy_word(a + 1, (size_t)(b - a - 1), r->target, sizeof r->target)) return 414;
  if (eol - b != 9 || memcmp(b + 1, "HTTP/", 5) != 0) return 400;
  if (memcmp(b + 6, "1.", 2) != 0) return 505;
  *ret_11 = b[8] != '0';
  r->head = !strcmp(r->method, "HEAD");
  if (!r->head && strcmp(r->method, "GET") != 0) return 405;
  return decode_path(r->target, r->path, sizeof r->path);
}

size_t http_parse(const char *in, size_t len, struct request *ret) {
  *ret = (struct request){.method = "-", .target = "-"};
  /* The head ends with an empty line; bare newlines are understood too (RFC 9112, 2.2). */
  const char *end = NULL, *first = memchr(in, '\n', len);
  for (const char *p = first; p && !end; p = memchr(p + 1, '\n', len - (size_t)(p + 1 - in))) {
    const char *next = p + 1;
    if (next < in + len && *next == '\r') next++;
    if (next < in + len && *next == '\n') end = next + 1;
  }
  if (!end) return 0;
  bool is_11 = false;
  size_t n = 0;
  ret->status = parse_line(in, first, ret, &is_11);
  if (!ret->status && is_11 && !find_header(first + 1, end, "Host", &n)) ret->status = 400;
  const char *connection = find_header(first + 1, end, "Connection", &n);
  bool close = connection && n == 5 && !strncasecmp(connection, "close", 5);
  /* A body would have to be read away to find the next request. */
  bool body = find_header(first + 1, end, "Content-Length", &n) || find_header(first + 1, end, "Transfer-Encoding", &n);
  ret->keep = !ret->status && is_11 && !close && !body;
  return (size_t)(end - in);
}

/* --- the reply ----------------------------------------------------------------------------------------------------- */

const char *http_reason(int status) {
  static const struct {
    int status;
    const char *reason;
  } known[] = {
      {200, "200 OK"},
      {301, "301 Moved Permanently"},
      {400, "400 Bad Request"},
      {403, "403 Forbidden"},
      {404, "404 Not Found"},
      {405, "405 Method Not Allowed"},
      {414, "414 URI Too Long"},
      {431, "431 Request Header Fields Too Large"},
      {505, "505 HTTP Version Not Supported"},
  };
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (known[i].status == status) return known[i].reason;
  return "500 Internal Server Error";
}

const char *http_type(const char *path) {
  static const char *const types[][2] = {
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css"},
      {".js", "text/javascript"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".txt", "text/plain; charset=utf-8"},
      {".ico", "image/x-icon"},
      {".jpg", "image/jpeg"},
      {".gif", "image/gif"},
  };
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
    if (!strcasecmp(dot, types[i][0])) return types[i][1];
  return "application/octet-stream";
}

/* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110, 5.6.7), without the locales of strftime. */
static void put_date(char *out, size_t size, size_t *len, int64_t now) {
  static const char days[] = "Sun, Mon, Tue, Wed, Thu, Fri, Sat, ",
                    months[] = " Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";
  struct tm tm;
  time_t t = (time_t)now;
  char part[6] = {0};
  if (!gmtime_r(&t, &tm)) return;
  memcpy(part, days + 5 * tm.tm_wday, 5);
  put_text(out, size, len, part);
  if (tm.tm_mday < 10) put_text(out, size, len, "0");
  put_number(out, size, len, (uint64_t)tm.tm_mday);
  memcpy(part, months + 5 * tm.tm_mon, 5);
  put_text(out, size, len, part);
  put_number(out, size, len, (uint64_t)tm.tm_year + 1900);
  const int clock[] = {tm.tm_hour, tm.tm_min, tm.tm_sec};
  for (size_t i = 0; i < 3; i++) {
    put_text(out, size, len, i ? ":" : " ");
    if (clock[i] < 10) put_text(out, size, len, "0");
    put_number(out, size, len, (uint64_t)clock[i]);
  }
  put_text(out, size, len, " GMT");
}

size_t http_head(const struct reply *reply, char *out, size_t size) {
  size_t len = 0;
  put_text(out, size, &len, "HTTP/1.1 ");
  put_text(out, size, &len, http_reason(reply->status));
  put_text(out, size, &len, "\r\nDate: ");
  put_date(out, size, &len, reply->now);
  put_text(out, size, &len, "\r\nContent-Type: ");
  put_text(out, size, &len, reply->type);
  put_text(out, size, &len, "\r\nContent-Length: ");
  put_number(out, size, &len, reply->length);
  if (reply->status == 405) put_text(out, size, &len, "\r\nAllow: GET, HEAD");
  if (reply->location) {
    put_text(out, size, &len, "\r\nLocation: ");
    put_text(out, size, &len, reply->location);
  }
  if (!reply->keep) put_text(out, size, &len, "\r\nConnection: close");
  put_text(out, size, &len, "\r\n\r\n");
  return len;
}
