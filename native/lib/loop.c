/* One epoll loop: see loop.h. */
#include "loop.h"

#include <sys/epoll.h>

#include "deadline.h"

int loop_init(struct loop *loop) {
  *loop = (struct loop){.epoll = epoll_create1(EPOLL_CLOEXEC)};
  return loop->epoll < 0 ? -errno : 0;
}

int loop_add(struct loop *loop, int fd, uint32_t events, struct loop_source *source) {
  struct epoll_event event = {.events = events, .data.ptr = source};
  return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void loop_remove(struct loop *loop, int fd) {
  (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
}

void loop_timer(struct loop *loop, struct loop_timer *timer) {
  timer->next = loop->timers;
  loop->timers = timer;
}

void loop_discard(struct loop *loop, struct loop_garbage *garbage) {
  garbage->next = loop->garbage;
  loop->garbage = garbage;
}

static void sweep(struct loop *loop) {
  while (loop->garbage) {
    struct loop_garbage *next = loop->garbage->next;
    free(loop->garbage);
    loop->garbage = next;
  }
}

static void run_timers(struct loop *loop) {
  int64_t now = loop->timers ? clock_ms() : 0;
  for (struct loop_timer *t = loop->timers; t; t = t->next)
    if (t->at >= 0 && t->at <= now) {
      t->at = -1;
      t->due(t);
    }
}

static int64_t next_time(const struct loop *loop) {
  int64_t at = -1;
  for (const struct loop_timer *t = loop->timers; t; t = t->next)
    if (t->at >= 0 && (at < 0 || t->at < at)) at = t->at;
  return at;
}

int loop_run(struct loop *loop) {
  while (!loop->quit) {
    struct epoll_event events[64];
    int n = epoll_wait(loop->epoll, events, N_ELEMENTS(events), deadline_left(next_time(loop)));
    if (n < 0 && errno != EINTR) return -errno;
    for (int i = 0; i < n; i++) {
      struct loop_source *source = events[i].data.ptr;
      source->ready(source, events[i].events);
    }
    run_timers(loop);
    sweep(loop);
  }
  return 0;
}

void loop_end(struct loop *loop) {
  sweep(loop);
  if (loop->epoll >= 0) close(loop->epoll);
  loop->epoll = -1;
}
