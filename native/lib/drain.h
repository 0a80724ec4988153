/*
 * A pod's connections while a container of it is about to stop. In infra's run folder:
 *   draining/NAME  from before container NAME is asked to end until it has ended: new connections wait, or go to other pods;
 *   connections    locked (flock(2), shared) by each forwarder (forward_tcp.h) as long as somebody waits for something through it.
 * Who drains makes the mark first and then tries for the lock alone; a forwarder takes the lock first and then looks for marks: so
 * whatever a forwarder lets in counts.
 */
#pragma once
#include "util.h"

/* `run` is run_open()'s, `run_dir` the container's ("pods/web/app"). */
int drain_begin(int run, const char *run_dir, struct err *err);
/* Also where it was not begun. Best effort: the next one tries it again. */
void drain_end(int run, const char *run_dir);
/* Waits until no forwarder has the lock. -ETIMEDOUT at `deadline` (clock_ms). */
int drain_wait(int run, const char *run_dir, int64_t deadline, struct err *err);
/* Of infra's run folder. */
bool drain_is_on(int infra);

/* A forwarder's part in it. */
struct drain {
  int infra, lock; /* -1: none, and nothing is ever held back */
  bool busy;
};
/* `infra`: its run folder, which stays the caller's; to be called before joining other namespaces. -errno; it is usable then, too. */
int drain_open(struct drain *d, int infra);
/* Somebody begins to wait. False while new connections are to be held back: then nothing has changed. */
bool drain_enter(struct drain *d);
/* Of one that is let in already there is something to wait for again. */
void drain_again(struct drain *d);
/* Nobody waits any more. */
void drain_leave(struct drain *d);
void drain_close(struct drain *d);
