/* One epoll loop: descriptors, a few timers, and objects that are freed when no event can name them any more. */
#pragma once
#include "util.h"

/* Embedded in what waits for a descriptor; `ready` gets the epoll events. */
struct loop_source {
  void (*ready)(struct loop_source *source, uint32_t events);
};

/* Embedded in what waits for a time; off where `at` is negative. `due` is called once: at is -1 again before it. */
struct loop_timer {
  void (*due)(struct loop_timer *timer);
  int64_t at; /* clock_ms() */
  struct loop_timer *next;
};

/* First member of what loop_discard() frees. */
struct loop_garbage {
  struct loop_garbage *next;
};

struct loop {
  int epoll;
  bool quit;
  struct loop_timer *timers;
  struct loop_garbage *garbage;
};

int loop_init(struct loop *loop);
/* Watches a descriptor (epoll_ctl(2) ADD). Closing it ends that. */
int loop_add(struct loop *loop, int fd, uint32_t events, struct loop_source *source);
/* Takes it out again without closing it. */
void loop_remove(struct loop *loop, int fd);
/* Makes a timer known; its time is set by the field. */
void loop_timer(struct loop *loop, struct loop_timer *timer);
/* Frees it after the present batch of events, which may still name it. */
void loop_discard(struct loop *loop, struct loop_garbage *garbage);
/* Runs until `quit`. -errno when epoll itself fails. */
int loop_run(struct loop *loop);
void loop_end(struct loop *loop);

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))
