/* A Service's connections and datagrams, spread over its pods: see balance.h. */
#include "balance.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "deadline.h"
#include "forward_tcp.h"
#include "handoff.h"
#include "listen_fds.h"
#include "proc.h"

enum { LOOK_MS = 100, RETRY_MS = 50, REFUSED_MS = 1000, IDLE_LOOK_MS = 10000, PENDING_MAX = 4096, PER_TURN = 64 };

struct pending {
  struct pending *next;
  int fd;
  struct address client;
  int64_t deadline;
};

/* One per channel. */
struct line {
  struct loop_garbage garbage;
  struct loop_source source;
  struct balance *balance;
  struct backend *backend;
};

struct listening {
  struct loop_source source;
  struct balance *balance;
  int fd;
};

struct balance {
  struct loop *loop;
  const struct balance_options *options;
  struct backends backends;
  int run;
  int listeners;
  struct listening *listening;
  struct loop_timer retry, idle;
  struct pending *first, **last;
  size_t n_pending;
  bool paused;
  char *buf; /* HANDOFF_PAYLOAD, of datagrams */
};

/* --- forwarders ---------------------------------------------------------------------------------------------------- */

/* It goes on with the connections that it has, and ends. */
static void part(struct balance *b, struct backend *one) {
  if (one->channel < 0) return;
  close(steal_fd(&one->channel));
  loop_discard(b->loop, one->line);
  one->line = NULL;
  one->up = false;
}

static void on_line(struct loop_source *source, uint32_t events);

/* Becomes the forwarder: our channel is its standard input, and of the listening sockets it has those of datagrams, for replies. */
static void become(const struct balance *b, const struct backend *one, int channel) {
  cleanup_free char *folder = xformat("pods/%s/_infra", one->pod);
  cleanup_free char *port = xformat("%d", (int)one->port);
  cleanup_free char *pid = xformat("%d", (int)getpid()), *count = xformat("%d", b->listeners);
  if (!folder || !port || !pid || !count || dup2(channel, STDIN_FILENO) < 0) return;
  const bool datagrams = b->options->type == SOCK_DGRAM;
  for (int fd = LISTEN_FDS_START; datagrams && fd < LISTEN_FDS_START + b->listeners; fd++) (void)fcntl(fd, F_SETFD, 0);
  if (datagrams && (setenv("LISTEN_PID", pid, 1) < 0 || setenv("LISTEN_FDS", count, 1) < 0)) return;
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  unsetenv("NOTIFY_SOCKET");
  const char *protocol = datagrams ? "udp" : "tcp";
  char *argv[] = {(char *)"podrt",
                  (char *)"forward",
                  (char *)"--channel",
                  (char *)"--join",
                  folder,
                  (char *)"--port",
                  port,
                  (char *)"--protocol",
                  (char *)(uintptr_t)protocol,
                  NULL};
  execv("/proc/self/exe", argv);
}

static void spawn(struct balance *b, struct backend *one) {
  int ends[2];
  if (one->pid || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) return;
  struct line *line = calloc(1, sizeof *line);
  pid_t pid = line ? fork() : -1;
  if (pid == 0) {
    become(b, one, ends[1]);
    _exit(125);
  }
  close(ends[1]);
  if (pid > 0) {
    one->pid = pid;
    *line = (struct line){.source.ready = on_line, .balance = b, .backend = one};
    if (loop_add(b->loop, ends[0], EPOLLIN, &line->source) == 0) {
      one->channel = ends[0];
      one->line = &line->garbage;
      return;
    }
  }
  free(line);
  close(ends[0]);
}

/* The pods as they are now, at most every LOOK_MS: those that serve have a forwarder, those that are not listed part with theirs. */
static void look(struct balance *b, bool now) {
  if (!now && b->backends.looked && clock_ms() - b->backends.looked < LOOK_MS) return;
  backends_look(&b->backends, b->run);
  bool any = false;
  for (struct backend *one = b->backends.first; one; one = one->next) {
    if (!one->listed) part(b, one);
    if (one->ready && one->channel < 0 && clock_ms() >= one->again) spawn(b, one);
    any = any || one->channel >= 0;
  }
  backends_forget(&b->backends);
  b->idle.at = any ? clock_ms() + IDLE_LOOK_MS : -1;
}

static void on_idle(struct loop_timer *timer) {
  look(container_of(timer, struct balance, idle), true);
}

/* --- connections --------------------------------------------------------------------------------------------------- */

static void refuse(int fd) {
  const struct linger reset = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(fd);
}

/* To a pod, if one takes it; the descriptor is not ours any more then. */
static bool hand_over(struct balance *b, int fd, const struct address *client, int64_t deadline, const struct backend *except) {
  struct backend *one = backends_pick(&b->backends, b->options->affinity ? client : NULL, except, clock_ms());
  if (!one) return false;
  const struct handoff message = {.kind = HANDOFF_CONNECTION, .client = *client, .deadline = deadline};
  int r = handoff_send(one->channel, &message, NULL, 0, fd);
  if (r == 0) {
    close(fd);
    return true;
  }
  if (r == -EAGAIN)
    one->later = clock_ms() + RETRY_MS;
  else
    one->up = false; /* its end is about to be told */
  return false;
}

static void pause_accept(struct balance *b) {
  for (int i = 0; i < b->listeners && !b->paused; i++) loop_remove(b->loop, LISTEN_FDS_START + i);
  b->paused = true;
}

static void resume_accept(struct balance *b) {
  if (!b->paused || b->n_pending >= PENDING_MAX) return;
  b->paused = false;
  for (int i = 0; i < b->listeners; i++) (void)loop_add(b->loop, LISTEN_FDS_START + i, EPOLLIN, &b->listening[i].source);
}

static void wait_for_pod(struct balance *b, int fd, const struct address *client, int64_t deadline) {
  struct pending *p = calloc(1, sizeof *p);
  if (!p) {
    refuse(fd);
    return;
  }
  *p = (struct pending){.fd = fd, .client = *client, .deadline = deadline};
  *b->last = p;
  b->last = &p->next;
  if (++b->n_pending >= PENDING_MAX) pause_accept(b);
  if (b->retry.at < 0) b->retry.at = clock_ms() + RETRY_MS;
}

static void dispatch(struct balance *b, int fd, const struct address *client, int64_t deadline, const struct backend *except) {
  look(b, false);
  if (!hand_over(b, fd, client, deadline, except)) wait_for_pod(b, fd, client, deadline);
}

/* In the order in which they came; those that are still refused keep their places. */
static void serve_pending(struct balance *b) {
  look(b, false);
  struct pending *p = b->first;
  b->first = NULL;
  b->last = &b->first;
  b->n_pending = 0;
  const int64_t now = clock_ms();
  for (struct pending *next; p; p = next) {
    next = p->next;
    if (now >= p->deadline)
      refuse(p->fd);
    else if (!hand_over(b, p->fd, &p->client, p->deadline, NULL)) {
      p->next = NULL;
      *b->last = p;
      b->last = &p->next;
      b->n_pending++;
      continue;
    }
    free(p);
  }
  b->retry.at = b->first ? now + RETRY_MS : -1;
  resume_accept(b);
}

static void on_retry(struct loop_timer *timer) {
  serve_pending(container_of(timer, struct balance, retry));
}

/* --- what forwarders say ------------------------------------------------------------------------------------------- */

static void on_line(struct loop_source *source, uint32_t events) {
  (void)events;
  struct line *line = container_of(source, struct line, source);
  struct balance *b = line->balance;
  struct backend *one = line->backend;
  struct handoff message;
  int fd;
  ssize_t r = -EAGAIN;
  while (one->line == &line->garbage && (r = handoff_receive(one->channel, &message, NULL, 0, &fd)) >= 0) {
    if (message.kind == HANDOFF_HELLO) {
      one->up = true;
      serve_pending(b);
    } else if (fd >= 0) {
      one->later = clock_ms() + REFUSED_MS;
      dispatch(b, fd, &message.client, message.deadline, one);
    }
  }
  if (r >= 0 || r == -EAGAIN) return;
  if (!one->up) one->again = clock_ms() + REFUSED_MS;
  part(b, one);
}

void balance_reap(struct balance *b) {
  for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
    for (struct backend *one = b->backends.first; one; one = one->next)
      if (one->pid == pid) one->pid = 0;
}

/* --- what comes in ------------------------------------------------------------------------------------------------- */

static bool is_allowed(const struct balance *b, const struct address *client) {
  for (size_t i = 0; i < b->options->n_allowed; i++)
    if (cidr_holds(&b->options->allowed[i], client)) return true;
  return b->options->n_allowed == 0;
}

static void on_connection(struct balance *b, int listener) {
  for (int i = 0; i < PER_TURN && !b->paused; i++) {
    struct address client = {0};
    socklen_t len = sizeof client;
    int fd = accept4(listener, &client.sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      pause_accept(b);
      if (b->retry.at < 0) b->retry.at = clock_ms() + RETRY_MS;
      return;
    }
    if (fd < 0 && errno == EAGAIN) return;
    if (fd < 0) continue; /* an error of that connection: accept(2) */
    address_unmap(&client);
    if (is_allowed(b, &client))
      dispatch(b, fd, &client, clock_ms() + FORWARD_TCP_WAIT_MS, NULL);
    else
      refuse(fd);
  }
}

/* A flow, which is the client's address and port, keeps its pod as long as that serves. */
static void on_datagram(struct balance *b, int listener) {
  for (int i = 0; i < PER_TURN; i++) {
    struct handoff message = {.kind = HANDOFF_DATAGRAM, .listener = listener};
    int r = udp_packet_receive(listener, b->buf, HANDOFF_PAYLOAD, &message.packet);
    if (r == -EAGAIN) return;
    if (r < 0 || !is_allowed(b, &message.packet.client)) continue;
    look(b, false);
    struct address flow = message.packet.client;
    struct backend *one = backends_pick(&b->backends, &flow, NULL, clock_ms());
    if (one && handoff_send(one->channel, &message, b->buf, message.packet.len, -1) == -EPIPE) one->up = false;
  }
}

static void on_listener(struct loop_source *source, uint32_t events) {
  (void)events;
  struct listening *l = container_of(source, struct listening, source);
  if (l->balance->options->type == SOCK_STREAM)
    on_connection(l->balance, l->fd);
  else
    on_datagram(l->balance, l->fd);
}

/* --- beginning and end --------------------------------------------------------------------------------------------- */

int balance_new(struct loop *loop, const struct balance_options *options, int n, struct balance **ret, struct err *err) {
  struct balance *b = calloc(1, sizeof *b);
  struct listening *listening = calloc((size_t)n, sizeof *listening);
  char *buf = options->type == SOCK_DGRAM ? malloc(HANDOFF_PAYLOAD) : NULL;
  if (!b || !listening || (options->type == SOCK_DGRAM && !buf)) {
    free(b);
    free(listening);
    free(buf);
    return err_set(err, ENOMEM, "listen", "%s", "");
  }
  *b = (struct balance){.loop = loop, .options = options, .listeners = n, .listening = listening, .buf = buf};
  b->backends = (struct backends){.path = options->backends, .not_ready = options->not_ready, .fallback = options->fallback};
  b->last = &b->first;
  b->retry = (struct loop_timer){.due = on_retry, .at = -1};
  b->idle = (struct loop_timer){.due = on_idle, .at = -1};
  loop_timer(loop, &b->retry);
  loop_timer(loop, &b->idle);
  b->run = run_open(err);
  int r = b->run < 0 ? b->run : 0;
  for (int i = 0; r == 0 && i < n; i++) {
    listening[i] = (struct listening){.source.ready = on_listener, .balance = b, .fd = LISTEN_FDS_START + i};
    r = options->type == SOCK_DGRAM ? udp_packet_prepare(LISTEN_FDS_START + i) : 0;
    if (r == 0) r = loop_add(loop, LISTEN_FDS_START + i, EPOLLIN, &listening[i].source);
    if (r < 0) err_set(err, -r, "listen", "descriptor %d", LISTEN_FDS_START + i);
  }
  if (r < 0) {
    if (b->run >= 0) close(b->run);
    free(listening);
    free(buf);
    free(b);
    return r;
  }
  *ret = b;
  return 0;
}

void balance_free(struct balance *b) {
  for (struct pending *p = b->first, *next; p; p = next) {
    next = p->next;
    refuse(p->fd);
    free(p);
  }
  for (struct backend *one = b->backends.first; one; one = one->next) part(b, one);
  backends_free(&b->backends);
  close(b->run);
  free(b->listening);
  free(b->buf);
  free(b);
}
