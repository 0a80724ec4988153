/* The HTTP client against servers that answer byte by byte, on loopback: what counts, what is refused, and that no server holds it. */
#include "lib/httpget.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "expect.h"
#include "lib/deadline.h"

enum how { AT_ONCE, BYTEWISE, DRIP, SILENT, STAYS_OPEN };

struct served {
  pid_t pid;
  uint16_t port;
  int seen; /* what the client has sent */
};

/* One connection after the other gets the next answer. */
static void serve(int listener, const char *const *answers, enum how how, int seen) {
  for (; *answers; answers++) {
    const int fd = accept(listener, NULL, NULL);
    char in[4096];
    ssize_t n = recv(fd, in, sizeof in, 0);
    if (n > 0) (void)!write(seen, in, (size_t)n);
    const size_t len = strlen(*answers);
    for (size_t i = 0; how != SILENT && i < len; i++) {
      const size_t step = how == AT_ONCE || how == STAYS_OPEN ? len : 1;
      if (send(fd, *answers + i, step, MSG_NOSIGNAL) < 0) break;
      i += step - 1;
      if (how == DRIP) usleep(20 * 1000);
    }
    if (how == SILENT || how == STAYS_OPEN) pause();
    close(fd);
  }
  _exit(0);
}

static struct served start(const char *const *answers, enum how how) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int pipes[2];
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT(pipe(pipes) == 0 && bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 20) == 0);
  EXPECT(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
  const pid_t pid = fork();
  if (pid == 0) serve(listener, answers, how, pipes[1]);
  close(listener);
  close(pipes[1]);
  return (struct served){.pid = pid, .port = ntohs(at.sin_port), .seen = pipes[0]};
}

static void stop(struct served *s) {
  kill(s->pid, SIGKILL);
  waitpid(s->pid, NULL, 0);
  close(s->seen);
}

/* The result of a GET of `answers`; *ret_err says why not. */
static int get(const char *const *answers, enum how how, int ms, struct http_answer *ret, struct err *err) {
  struct served s = start(answers, how);
  const struct http_wish wish = {.host = "127.0.0.1", .port = s.port, .path = "/a?b"};
  const int64_t begin = clock_ms();
  const int r = http_get(&wish, begin + ms, ret, err);
  EXPECT(clock_ms() - begin < ms + 2000);
  stop(&s);
  return r;
}

static void test_answers(void) {
  static const struct {
    const char *text;
    int result, status; /* of http_get; of the answer */
  } cases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0, 200},
      {"HTTP/1.0 204 \r\n\r\n", 0, 204},
      {"HTTP/1.1 399\n\n", 0, 399},
      {"HTTP/1.1 503 no\r\n\r\nbody", 0, 503},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 0, 200},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 0, 200},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", -EPROTO, 0},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", -EPROTO, 0},
      {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", -EPROTO, 0},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nok", -EPROTO, 0},
      {"HTTP/1.1 200 OK\r\n", -EPROTO, 0},
      {"HTTP/1.1 20 OK\r\n\r\n", -EPROTO, 0},
      {"HTTP/2 200 OK\r\n\r\n", -EPROTO, 0},
      {"SSH-2.0-OpenSSH\r\n", -EPROTO, 0},
      {"", -EPROTO, 0},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++)
    for (int how = AT_ONCE; how <= BYTEWISE; how++) {
      struct http_answer a;
      struct err err;
      const int r = get((const char *[]){cases[i].text, NULL}, (enum how)how, 20 * 1000, &a, &err);
      EXPECT(r == cases[i].result);
      if (r == 0) EXPECT(a.status == cases[i].status && (http_judge(&a, &err) == 0) == (a.status < 400));
    }
}

/* A body that never ends is read up to its limit and no further; one that is promised and does not come is not a success. */
static void test_bodies(void) {
  static char big[20000];
  struct http_answer a;
  struct err err;
  memset(big, 'x', sizeof big - 1);
  memcpy(big, "HTTP/1.1 200 OK\r\n\r\n", 19);
  EXPECT(get((const char *[]){big, NULL}, STAYS_OPEN, 20 * 1000, &a, &err) == 0 && a.status == 200);
  EXPECT(get((const char *[]){"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL}, STAYS_OPEN, 20 * 1000, &a, &err) == 0);
  EXPECT(get((const char *[]){"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", NULL}, STAYS_OPEN, 200, &a, &err) == -ETIMEDOUT);
}

static void test_head_limit(void) {
  static char endless[64 * 1024];
  struct http_answer a;
  struct err err;
  memset(endless, 'x', sizeof endless - 1);
  memcpy(endless, "HTTP/1.1 200 OK\r\nX: ", 20);
  EXPECT(get((const char *[]){endless, NULL}, AT_ONCE, 20 * 1000, &a, &err) == -EPROTO);
  EXPECT(strstr(err.what, "32 KiB") != NULL);
}

static void test_time(void) {
  struct http_answer a;
  struct err err;
  static char slow[400];
  memset(slow, 'y', sizeof slow - 1);
  memcpy(slow, "HTTP/1.1 200 OK\r\n", 17);
  EXPECT(get((const char *[]){"x", NULL}, SILENT, 100, &a, &err) == -ETIMEDOUT);
  EXPECT(get((const char *[]){slow, NULL}, DRIP, 150, &a, &err) == -ETIMEDOUT);
}

static void test_redirects(void) {
  struct http_answer a;
  struct err err;
  EXPECT(get((const char *[]){"HTTP/1.1 302 F\r\nLocation: /b\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", NULL}, AT_ONCE, 20000, &a, &err) == 0);
  EXPECT(a.status == 200 && !a.elsewhere);
  EXPECT(get((const char *[]){"HTTP/1.1 302 F\r\nLocation: http://other.example/\r\n\r\n", NULL}, AT_ONCE, 20000, &a, &err) == 0);
  EXPECT(a.status == 302 && a.elsewhere && http_judge(&a, &err) == 0);
  const char *round[HTTP_REDIRECTS + 3] = {0};
  for (int i = 0; i < HTTP_REDIRECTS + 2; i++) round[i] = "HTTP/1.1 301 M\r\nLocation: /again\r\n\r\n";
  EXPECT(get(round, AT_ONCE, 20000, &a, &err) == -EPROTO);
}

static void test_locations(void) {
  static const struct {
    const char *location;
    int result;
    const char *path;
    uint16_t port;
    bool tls;
  } cases[] = {
      {"/x", 1, "/x", 8080, false},
      {"y?q#f", 1, "/a/y?q", 8080, false},
      {"?q", 1, "/a/b?q", 8080, false},
      {"http://127.0.0.1/", 1, "/", 80, false},
      {"https://127.0.0.1:9/z", 1, "/z", 9, true},
      {"//127.0.0.1:8081", 1, "/", 8081, false},
      {"http://127.0.0.2/", 0, NULL, 0, false},
      {"http://[::1]/", 0, NULL, 0, false},
      {"ftp://127.0.0.1/", 0, NULL, 0, false},
      {"http://127.0.0.1:99999/", -EPROTO, NULL, 0, false},
      {"http://127.0.0.1:x/", -EPROTO, NULL, 0, false},
      {"/a\nb", -EPROTO, NULL, 0, false},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    char room[200];
    struct http_wish w = {.host = "", .port = 8080, .path = "/a/b?c"};
    EXPECT(http_redirect(cases[i].location, "127.0.0.1", &w, room, sizeof room) == cases[i].result);
    if (cases[i].result == 1) EXPECT(!strcmp(w.path, cases[i].path) && w.port == cases[i].port && w.tls == cases[i].tls);
  }
}

static void test_request(void) {
  const struct http_header headers[] = {{"Host", "shop.example"}, {"X-A", "b c"}, {"connection", "keep-alive"}};
  const char *const answers[] = {"HTTP/1.1 200 OK\r\n\r\n", NULL};
  struct served s = start(answers, AT_ONCE);
  const struct http_wish wish = {.host = "", .port = s.port, .path = "healthz?a=1", .headers = headers, .n_headers = N_ELEMENTS(headers)};
  struct http_answer a;
  struct err err;
  char seen[1000] = "";
  EXPECT(http_get(&wish, clock_ms() + 20000, &a, &err) == 0);
  EXPECT(read(s.seen, seen, sizeof seen - 1) > 0);
  EXPECT(!strcmp(seen,
                 "GET /healthz?a=1 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: podgen-probe\r\nAccept: */*\r\nX-A: b c\r\nConnection: "
                 "close\r\n\r\n"));
  stop(&s);
  EXPECT(http_get(&wish, clock_ms() + 20000, &a, &err) == -ECONNREFUSED && strstr(err.what, "127.0.0.1:") != NULL);
  const struct http_wish name = {.host = "a.example", .port = 80, .path = "/"};
  EXPECT(http_get(&name, clock_ms() + 20000, &a, &err) == -EINVAL);
}

int main(void) {
  test_answers();
  test_bodies();
  test_head_limit();
  test_time();
  test_redirects();
  test_locations();
  test_request();
  return expect_end("httpget");
}
