/*
 * Carries TCP connections into a pod: see forward_tcp.h.
 *
 * A connection is *waiting* (no server answers), *connecting*, or *open*. While the server is away only the oldest waiting one
 * asks for it, every RETRY_MS; when it gets through, the others try at once. So thousands of waiting clients cost nothing.
 */
#include "forward_tcp.h"

#include <malloc.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "deadline.h"
#include "listen_fds.h"
#include "targets.h"
#include "tcp_pair.h"

enum { RETRY_MS = 50, PAUSE_MS = 100, REST_MS = 1000, ACCEPTS_PER_TURN = 64 };
/* An answer that has not begun or gone on for so long is at its end, as far as bytes tell; before, a client may be about to speak. */
enum { SETTLE_MS = 250 };

enum state { WAITING, CONNECTING, OPEN };

struct connection {
  struct loop_garbage garbage;
  struct connection *next, *prev; /* of all connections, in the order they came */
  struct forward_tcp *forward;
  struct address client;
  enum state state;
  unsigned target;  /* which of the server's addresses is being tried */
  int64_t deadline; /* while there is no server */
  int64_t active;   /* clock_ms() of the last byte that came, or of the beginning */
  bool again;       /* to be pumped at the next turn */
  struct tcp_pair pair;
};

struct forward_tcp {
  struct loop *loop;
  const struct transparent *transparent;
  uint16_t port;
  int listeners;
  struct loop_source accept;
  bool paused, stopping, at_rest;
  size_t n, max, n_waiting, n_open;
  struct connection *first, *last;
  struct pipes pipes;
  struct loop_timer retry, resume, turn, end, settle;
  struct drain *drain;    /* NULL: nobody asks */
  forward_tcp_back *back; /* NULL: connections wait here */
  void *back_to;
};

/* --- listening ----------------------------------------------------------------------------------------------------- */

static void pause_accept(struct forward_tcp *f) {
  if (f->paused) return;
  for (int i = 0; i < f->listeners; i++) loop_remove(f->loop, LISTEN_FDS_START + i);
  f->paused = true;
}

static void resume_accept(struct forward_tcp *f) {
  f->resume.at = -1;
  if (!f->paused || f->stopping) return;
  f->paused = false;
  for (int i = 0; i < f->listeners; i++) (void)loop_add(f->loop, LISTEN_FDS_START + i, EPOLLIN, &f->accept);
}

static void on_resume(struct loop_timer *timer) {
  resume_accept(container_of(timer, struct forward_tcp, resume));
}

/* --- who waits ---------------------------------------------------------------------------------------------------- */

static bool is_held_back(struct forward_tcp *f) {
  if (!f->drain) return false;
  if (!drain_enter(f->drain)) return true;
  if (f->settle.at < 0) f->settle.at = clock_ms() + SETTLE_MS;
  return false;
}

/* Something moves. */
static void set_active(struct connection *c) {
  struct forward_tcp *f = c->forward;
  c->active = clock_ms();
  if (f->drain) drain_again(f->drain);
  if (f->settle.at < 0 && (f->drain || f->at_rest)) f->settle.at = c->active + SETTLE_MS;
}

static bool is_waited_on(const struct connection *c, int64_t now) {
  if (c->state != OPEN) return c->state == CONNECTING;
  return now - c->active < SETTLE_MS || tcp_pair_is_owed(&c->pair);
}

/* Looked at only as long as there is somebody: connections at rest cost nothing. */
static void on_settle(struct loop_timer *timer) {
  struct forward_tcp *f = container_of(timer, struct forward_tcp, settle);
  const int64_t now = clock_ms();
  bool any = false;
  for (struct connection *c = f->first; c && !any; c = c->next) any = is_waited_on(c, now);
  if (any)
    timer->at = now + SETTLE_MS;
  else if (f->drain)
    drain_leave(f->drain);
  if (!any && f->at_rest) f->loop->quit = true;
}

/* --- the life of a connection -------------------------------------------------------------------------------------- */

static void finish(struct connection *c, bool broken) {
  struct forward_tcp *f = c->forward;
  tcp_pair_close(&c->pair, &f->pipes, broken);
  *(c->prev ? &c->prev->next : &f->first) = c->next;
  *(c->next ? &c->next->prev : &f->last) = c->prev;
  if (c->state == WAITING) f->n_waiting--;
  if (c->state == OPEN) f->n_open--;
  f->n--;
  loop_discard(f->loop, &c->garbage);
  if (f->n == f->n_waiting && f->drain) drain_leave(f->drain);
  if (f->n == 0) {
    pipes_close(&f->pipes);
    f->turn.at = clock_ms() + REST_MS;
  }
  if (f->n == 0 && f->stopping) f->loop->quit = true;
  resume_accept(f); /* a descriptor is free now */
}

static void pump(struct connection *c) {
  struct forward_tcp *f = c->forward;
  c->again = false;
  const enum tcp_pair_result result = tcp_pair_pump(&c->pair, &f->pipes);
  if (c->pair.moved) set_active(c);
  c->pair.moved = false;
  switch (result) {
    case TCP_PAIR_WAIT:
      break;
    case TCP_PAIR_DONE:
      finish(c, false);
      break;
    case TCP_PAIR_BROKEN:
      finish(c, true);
      break;
    case TCP_PAIR_AGAIN:
      c->again = true;
      f->turn.at = 0;
      break;
    case TCP_PAIR_STARVED:
      c->again = true;
      if (f->turn.at < 0) f->turn.at = clock_ms() + PAUSE_MS;
      break;
  }
}

static void on_turn(struct loop_timer *timer) {
  struct forward_tcp *f = container_of(timer, struct forward_tcp, turn);
  for (struct connection *c = f->first, *next; c; c = next) {
    next = c->next;
    if (c->again) pump(c);
  }
  if (f->n == 0) (void)malloc_trim(0); /* a forwarder at rest is to cost next to nothing */
}

static void set_option(int fd, int level, int name) {
  const int on = 1;
  (void)setsockopt(fd, level, name, &on, sizeof on);
}

/* `c` is gone then. */
static void give_back(struct connection *c) {
  struct forward_tcp *f = c->forward;
  int fd = c->pair.side[0].fd;
  /* The other keeps it open: closing ours would not take it out of our loop. */
  loop_remove(f->loop, fd);
  if (c->state == WAITING) f->n_waiting--;
  c->state = CONNECTING;
  finish(c, !f->back(f->back_to, fd, &c->client, c->deadline));
}

static void set_waiting(struct connection *c) {
  struct forward_tcp *f = c->forward;
  if (f->back) {
    give_back(c);
    return;
  }
  if (c->state != WAITING) f->n_waiting++;
  c->state = WAITING;
  c->target = 0;
  if (f->retry.at < 0) f->retry.at = clock_ms() + RETRY_MS;
}

static void set_open(struct connection *c) {
  c->state = OPEN;
  c->forward->n_open++;
  set_active(c);
  set_option(c->pair.side[1].fd, IPPROTO_TCP, TCP_NODELAY);
  pump(c);
}

/* Tries the targets from c->target on. False when all have refused and it waits; `c` may be gone when it is true. */
static bool connect_next(struct connection *c) {
  struct forward_tcp *f = c->forward;
  struct tcp_side *server = &c->pair.side[1];
  for (bool held = is_held_back(f); !held && c->target < TARGETS; c->target++) {
    struct address target;
    if (!target_address(f->transparent, &c->client, f->port, c->target, &target)) continue;
    server->fd = target_connect(f->transparent, &c->client, &target, SOCK_STREAM);
    if (server->fd < 0) {
      server->fd = -1;
      continue;
    }
    if (c->state == WAITING) f->n_waiting--;
    c->state = CONNECTING;
    /* Its first event tells how the connection ended, also where that is known by now. */
    if (loop_add(f->loop, server->fd, TCP_PAIR_EVENTS, &server->source) < 0) finish(c, true);
    return true;
  }
  set_waiting(c);
  return false;
}

static void on_retry(struct loop_timer *timer) {
  struct forward_tcp *f = container_of(timer, struct forward_tcp, retry);
  int64_t now = clock_ms();
  bool away = false;
  /* They stand in the order of their deadlines, so behind the first one that is refused and in time nothing is to be done. */
  for (struct connection *c = f->first, *next; c && !away; c = next) {
    next = c->next;
    if (c->state == OPEN) continue;
    if (now >= c->deadline)
      finish(c, true);
    else if (c->state == WAITING)
      away = !connect_next(c);
  }
  f->retry.at = f->n > f->n_open ? now + RETRY_MS : -1;
}

static void on_connected(struct connection *c) {
  struct tcp_side *server = &c->pair.side[1];
  int error = 0;
  socklen_t len = sizeof error;
  if (getsockopt(server->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0) {
    set_open(c);
    return;
  }
  close(server->fd);
  server->fd = -1;
  c->target++;
  (void)connect_next(c);
}

static void on_side(struct loop_source *source, uint32_t events) {
  struct tcp_side *side = container_of(source, struct tcp_side, source);
  struct connection *c = container_of(side->pair, struct connection, pair);
  if (side->fd < 0) return; /* closed earlier in this batch */
  tcp_pair_event(side, events);
  if (c->state == OPEN)
    pump(c);
  else if (side == &c->pair.side[1])
    on_connected(c);
  else if (events & (EPOLLERR | EPOLLHUP))
    finish(c, true); /* the client went away before there was a server */
}

/* --- taking connections -------------------------------------------------------------------------------------------- */

void forward_tcp_take(struct forward_tcp *f, int fd, const struct address *client, int64_t deadline) {
  struct connection *c = calloc(1, sizeof *c);
  if (!c) {
    close(fd);
    return;
  }
  c->forward = f;
  c->client = *client;
  c->deadline = deadline;
  c->state = CONNECTING;
  tcp_pair_init(&c->pair, fd);
  for (int i = 0; i < 2; i++) c->pair.side[i].source.ready = on_side;
  c->prev = f->last;
  *(f->last ? &f->last->next : &f->first) = c;
  f->last = c;
  f->n++;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE);
  if (loop_add(f->loop, fd, TCP_PAIR_EVENTS, &c->pair.side[0].source) < 0)
    finish(c, true);
  else if (f->n_waiting)
    set_waiting(c); /* in the queue behind the others */
  else
    (void)connect_next(c);
  if (f->retry.at < 0) f->retry.at = clock_ms() + RETRY_MS;
}

/* True when there may be more. */
static bool accept_one(struct forward_tcp *f, int listener) {
  struct address client = {0};
  socklen_t len = sizeof client;
  if (f->n >= f->max) {
    pause_accept(f);
    return false;
  }
  int fd = accept4(listener, &client.sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
    /* They wait in the kernel's queue; asking again at once would only burn time. */
    pause_accept(f);
    f->resume.at = clock_ms() + PAUSE_MS;
    return false;
  }
  if (fd < 0) return errno != EAGAIN; /* others are errors of that connection: accept(2) */
  address_unmap(&client);
  forward_tcp_take(f, fd, &client, clock_ms() + FORWARD_TCP_WAIT_MS);
  return true;
}

static void on_accept(struct loop_source *source, uint32_t events) {
  (void)events;
  struct forward_tcp *f = container_of(source, struct forward_tcp, accept);
  if (is_held_back(f)) {
    /* They wait in the kernel's queue, also for a forwarder after us. */
    pause_accept(f);
    f->resume.at = clock_ms() + RETRY_MS;
    return;
  }
  for (int i = 0; i < f->listeners; i++)
    for (int n = 0; n < ACCEPTS_PER_TURN && !f->paused && accept_one(f, LISTEN_FDS_START + i); n++) continue;
}

/* --- beginning and end --------------------------------------------------------------------------------------------- */

static void on_end(struct loop_timer *timer) {
  container_of(timer, struct forward_tcp, end)->loop->quit = true;
}

int forward_tcp_new(struct loop *loop, const struct transparent *t, uint16_t port, int n, size_t max, struct forward_tcp **ret) {
  struct forward_tcp *f = calloc(1, sizeof *f);
  if (!f) return -ENOMEM;
  f->loop = loop;
  f->transparent = t;
  f->port = port;
  f->listeners = n;
  f->max = max;
  f->accept.ready = on_accept;
  f->retry = (struct loop_timer){.due = on_retry, .at = -1};
  f->resume = (struct loop_timer){.due = on_resume, .at = -1};
  f->turn = (struct loop_timer){.due = on_turn, .at = -1};
  f->end = (struct loop_timer){.due = on_end, .at = -1};
  f->settle = (struct loop_timer){.due = on_settle, .at = -1};
  struct loop_timer *timers[] = {&f->retry, &f->resume, &f->turn, &f->end, &f->settle};
  for (size_t i = 0; i < N_ELEMENTS(timers); i++) loop_timer(loop, timers[i]);
  for (int i = 0; i < n; i++) {
    int r = loop_add(loop, LISTEN_FDS_START + i, EPOLLIN, &f->accept);
    if (r < 0) return free(f), r;
  }
  *ret = f;
  return 0;
}

void forward_tcp_give_back(struct forward_tcp *f, forward_tcp_back *back, void *to) {
  f->back = back;
  f->back_to = to;
}

void forward_tcp_drain(struct forward_tcp *f, struct drain *drain) {
  f->drain = drain;
}

void forward_tcp_stop(struct forward_tcp *f, int64_t ms, bool at_rest) {
  pause_accept(f);
  f->stopping = true;
  f->at_rest = at_rest;
  if (at_rest && f->settle.at < 0) f->settle.at = 0;
  f->end.at = clock_ms() + ms;
  if (f->n == 0) f->loop->quit = true;
}

void forward_tcp_free(struct forward_tcp *f) {
  for (struct connection *c = f->first, *next; c; c = next) {
    next = c->next;
    tcp_pair_close(&c->pair, &f->pipes, true);
    free(c);
  }
  pipes_close(&f->pipes);
  free(f);
}
