/*
 * httpd: the whole content of podgen's bundled image. A static file server of a few KB, and a heartbeat for a sidecar.
 *
 *   httpd [--port N] [--root DIR]    serves DIR (/www), or a page of its own where there is no index.html; port 8080, IPv4 and IPv6
 *   httpd --log-every SECONDS        prints a numbered line that often, and serves nothing
 *
 * It is PID 1 of its container: SIGTERM must be caught or it would do nothing. One process, one poll loop, no allocation.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client.h"

enum { CLIENTS = 64, IDLE_SECONDS = 10 };

static struct client clients[CLIENTS];
static volatile sig_atomic_t stopped;

static void on_signal(int sig) {
  (void)sig;
  stopped = 1;
}

/* A line of a word and a number. */
static void say_number(const char *word, uint64_t number) {
  char line[64];
  size_t len = 0;
  put_text(line, sizeof line, &len, word);
  put_number(line, sizeof line, &len, number);
  put_text(line, sizeof line, &len, "\n");
  say(1, line);
}

/* --- the loop ------------------------------------------------------------------------------------------------------ */

static void take_client(int listener) {
  struct sockaddr_storage from;
  socklen_t len = sizeof from;
  int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
  struct client *c = clients;
  if (fd < 0) return;
  while (c->fd) c++; /* there is a free place, or the listener would not have been polled */
  client_start(c, fd, (struct sockaddr *)&from);
}

static int loop(int listener, int root, const sigset_t *waiting) {
  while (!stopped) {
    struct pollfd polled[CLIENTS + 1];
    struct client *of[CLIENTS + 1];
    nfds_t n = 0;
    int64_t now = seconds_now(CLOCK_MONOTONIC);
    for (size_t i = 0; i < CLIENTS; i++) {
      struct client *c = &clients[i];
      if (c->fd && now - c->since >= IDLE_SECONDS) client_drop(c);
      if (!c->fd) continue;
      polled[n] = (struct pollfd){.fd = c->fd, .events = c->busy ? POLLOUT : POLLIN};
      of[n++] = c;
    }
    const nfds_t taken = n;
    const struct timespec second = {.tv_sec = 1};
    if (taken < CLIENTS) polled[n++] = (struct pollfd){.fd = listener, .events = POLLIN};
    if (ppoll(polled, n, taken ? &second : NULL, waiting) < 0) {
      if (errno == EINTR) continue;
      return 1;
    }
    for (nfds_t i = 0; i < taken; i++)
      if (polled[i].revents) client_serve(of[i], root, polled[i].revents);
    if (n > taken && polled[taken].revents) take_client(listener);
  }
  return 0;
}

static int listen_on(uint16_t port) {
  const int on = 1, off = 0;
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool both = fd >= 0;
  if (!both) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (both) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (bind(fd, both ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, both ? sizeof v6 : sizeof v4) < 0 || listen(fd, 128) < 0) return -1;
  return fd;
}

static int heartbeat(int64_t seconds, const sigset_t *waiting) {
  const struct timespec pause = {.tv_sec = (time_t)seconds};
  for (uint64_t n = 1; !stopped; n++) {
    say_number("heartbeat ", n);
    (void)ppoll(NULL, 0, &pause, waiting);
  }
  return 0;
}

/* A number from 1 to max, or 0. */
static int64_t number(const char *text, int64_t max) {
  int64_t n = 0;
  if (!*text) return 0;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || n > max) return 0;
    n = n * 10 + (*text - '0');
  }
  return n > max ? 0 : n;
}

int main(int argc, char **argv) {
  const char *root = "/www";
  int64_t port = 8080, every = 0;
  bool good = argc % 2 == 1;
  for (int i = 1; good && i + 1 < argc; i += 2) {
    if (!strcmp(argv[i], "--port"))
      good = (port = number(argv[i + 1], 65535)) > 0;
    else if (!strcmp(argv[i], "--log-every"))
      good = (every = number(argv[i + 1], 1000000)) > 0;
    else if (!strcmp(argv[i], "--root"))
      root = argv[i + 1];
    else
      good = false;
  }
  if (!good) {
    say(2, "usage: httpd [--port N] [--root DIR] | httpd --log-every SECONDS\n");
    return 64;
  }

  int result;
  /* Signals come only while we wait, so none is lost between a look at `stopped` and the waiting. */
  sigset_t ours, waiting;
  struct sigaction action = {.sa_handler = on_signal};
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  sigprocmask(SIG_BLOCK, &ours, &waiting);
  sigdelset(&waiting, SIGTERM);
  sigdelset(&waiting, SIGINT);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);

  /* 0 means "none" for a client, so no connection may get it. */
  while ((result = open("/dev/null", O_RDWR)) >= 0 && result < 3) continue;
  if (result >= 3) close(result);
  if (every) {
    result = heartbeat(every, &waiting);
  } else {
    int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int listener = listen_on((uint16_t)port);
    if (listener < 0) {
      say(2, errno == EADDRINUSE ? "httpd: the port is taken\n"
             : errno == EACCES   ? "httpd: the port is not allowed\n"
                                 : "httpd: cannot listen\n");
      return 1;
    }
    say_number("listening on port ", (uint64_t)port);
    result = loop(listener, root_fd, &waiting);
  }
  say(1, "stopped\n");
  return result;
}
