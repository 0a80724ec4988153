/* Waiting with an end: a monotonic clock in milliseconds, and folders watched for a file. */
#pragma once
#include "util.h"

/* CLOCK_MONOTONIC in milliseconds. */
int64_t clock_ms(void);
/* What is left until then for poll(): 0 when it is past, at most INT_MAX; -1 (for ever) for a negative deadline. */
int deadline_left(int64_t deadline);

/*
 * Sleeps a moment: 1 ms at first, 50 ms when it has lasted (`naps` begins at 0). For what comes within milliseconds: closing an
 * inotify descriptor alone takes 10 ms.
 */
void nap(unsigned *naps);
/* So many naps last about a second. */
#define NAPS_SECOND 216

/*
 * A descriptor that becomes readable when a name appears in the folder `dir` (O_PATH is enough). Look for the file after this,
 * and again after each event: an event is only a hint. It is one of inotify; where the user has no more of those (128 instances,
 * fs.inotify.max_user_instances, which 130 pods that start at once exceed) one that is readable several times a second.
 */
int watch_folder(int dir);
/* Waits for an event of watch_folder's and eats all there are. 0, or -ETIMEDOUT, or -EINTR when a signal came. */
int watch_wait(int watch, int64_t deadline);
