/* Requests and replies of the bundled image's server, byte by byte. */
#include "httpd/http.c"

#include "expect.h"

/* Status a request gets before any file is looked for; -1 when more must come. */
static int status_of(const char *text, struct request *r) {
  size_t used = http_parse(text, strlen(text), r);
  if (used) EXPECT(used <= strlen(text));
  return used ? r->status : -1;
}

static void test_requests(void) {
  static const struct {
    const char *text;
    int status;
    const char *path;
    bool keep;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, "/", true},
      {"GET / HTTP/1.1\nhost:a\n\n", 0, "/", true},
      {"HEAD /a%20b?q=%zz#f HTTP/1.1\r\nHost: a\r\n\r\n", 0, "/a b", true},
      {"GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", 0, "/b", true},
      {"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", 0, "/", true},
      {"GET / HTTP/1.0\r\n\r\n", 0, "/", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection:  Close\r\n\r\n", 0, "/", false},
      {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 0, "/", false},
      {"GET / HTTP/1.1\r\nX-Host: a\r\n\r\n", 400, NULL, false},
      {"GET / HTTP/1.1\r\n\r\n", 400, NULL, false},
      {"GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL, false},
      {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL, false},
      {"GET /%0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL, false},
      {"GET /%00x HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL, false},
      {"GET /%gg HTTP/1.1\r\nHost: a\r\n\r\n", 400, NULL, false},
      {"GET / HTTX/1.1\r\nHost: a\r\n\r\n", 400, NULL, false},
      {"GET /\r\n\r\n", 400, NULL, false},
      {"\r\n\r\n", 400, NULL, false},
      {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, NULL, false},
      {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405, NULL, false},
      {"ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\nHost: a\r\n\r\n", 405, NULL, false},
      {"GET / HTTP/1.1\r\nHost: a\r\n", -1, NULL, false},
      {"", -1, NULL, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct request r;
    EXPECT(status_of(cases[i].text, &r) == cases[i].status);
    if (cases[i].path) EXPECT(!strcmp(r.path, cases[i].path));
    if (cases[i].status >= 0) EXPECT(r.keep == cases[i].keep);
  }
}

static void test_log_is_clean(void) {
  struct request r;
  EXPECT(status_of("GET /\x1b[2J\xff HTTP/1.1\r\nHost: a\r\n\r\n", &r) == 0);
  EXPECT(!strcmp(r.target, "/?[2J?"));
  EXPECT(!strcmp(r.path, "/"));
}

static void test_long(void) {
  char text[3000];
  struct request r;
  memset(text, 'a', sizeof text);
  memcpy(text, "GET /", 5);
  strcpy(text + 2000, " HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT(status_of(text, &r) == 414);
}

static void test_one_of_two(void) {
  static const char two[] = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  struct request r;
  size_t used = http_parse(two, sizeof two - 1, &r);
  EXPECT(used == (sizeof two - 1) / 2 && !strcmp(r.path, "/1"));
  EXPECT(http_parse(two + used, used, &r) == used && !strcmp(r.path, "/2"));
}

static void test_head(void) {
  char out[2048];
  struct reply reply = {.status = 301, .type = "text/plain", .length = 21, .location = "/a/", .now = 784111777};
  size_t len = http_head(&reply, out, sizeof out);
  EXPECT(len == strlen(out));
  EXPECT(
      !strcmp(out,
              "HTTP/1.1 301 Moved Permanently\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n"
              "Location: /a/\r\nConnection: close\r\n\r\n"));
  reply = (struct reply){.status = 405, .keep = true, .type = "a/b", .length = UINT64_MAX, .now = 951782400};
  http_head(&reply, out, sizeof out);
  EXPECT(strstr(out, "Date: Tue, 29 Feb 2000 00:00:00 GMT\r\n") && strstr(out, "Allow: GET, HEAD\r\n"));
  EXPECT(strstr(out, "Content-Length: 18446744073709551615\r\n") && !strstr(out, "Connection:"));
  EXPECT(!strcmp(http_type("/a.b/c.HTML"), "text/html; charset=utf-8") && !strcmp(http_type("/a"), "application/octet-stream"));
  EXPECT(!strcmp(http_reason(999), "500 Internal Server Error"));
}

int main(void) {
  test_requests();
  test_log_is_clean();
  test_long();
  test_one_of_two();
  test_head();
  return expect_end("http");
}
