/* The parent's side of a container's start, common to `run` and `oneshot`: README.md, "Start of a container, in order". */
#pragma once
#include "bundle.h"

struct container {
  pid_t pid;
  int pidfd;
  int folder; /* of rootfs_prepare, or -1 */
  int dir;    /* the run folder */
  bool early; /* it failed before the back-off: backoff_failed() is to be called when that has been told */
};

/*
 * Starts the bundle's container up to the payload's execution. With `child_of_ours` its first process is our child, and we stay to
 * wait for it; else it is systemd's, becomes the unit's main process, and the ready mark is made.
 * With a child of ours the signals of signals_stop() are blocked after it, from a moment before the payload could run: wait for them and
 * pass them on. Until then a signal that ends us ends the child with us.
 * On failure nothing of it runs any more, and *ret_exit is the exit code: 125, 126 or 127.
 */
int container_start(const struct bundle *b, bool child_of_ours, struct container *ret, int *ret_exit, struct err *err);
/* Closes, and removes what earlier starts left. */
void container_done(struct container *c);
