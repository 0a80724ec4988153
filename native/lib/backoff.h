/* Kubernetes' restart back-off: the first automatic restart at once, then 10 s doubling to 300 s, forgotten after 10 minutes up. */
#pragma once
#include "util.h"

struct backoff {
  unsigned count; /* automatic restarts in a row */
  int64_t last;   /* when the last start was, seconds of CLOCK_BOOTTIME */
};

/* Seconds to wait before the restart number `count`. */
unsigned backoff_delay(unsigned count);
/* True when the last start is recent enough to count, so that it matters whether a person asked for this one. */
bool backoff_recent(const struct backoff *old, int64_t now);
/* The count of a start at `now`: one more than the old one, or 0 when that is forgotten. `old` NULL: there was none. */
unsigned backoff_next(const struct backoff *old, int64_t now, bool by_hand);

/*
 * Does it: reads backoff.json in the run folder, asks the manager who started us if need be (manager.h), waits with the unit's STATUS
 * saying so, and writes the file. A stop signal (signals_end_us) ends the process, and so the wait, at once. A file that cannot be read
 * counts as none; where it cannot be written there is a warning (`verb` and `identifier` are for that), and the manager's count of
 * restarts holds.
 */
void backoff_wait(int dir, const char *unit, const char *identifier, const char *verb);

/*
 * For a start that fails before there is a file to count in: waits as long as the manager's count of restarts asks for, so that the
 * manager, which starts us anew at once and without end, does not do it ten times a second. Not at all where no unit is being started.
 */
void backoff_failed(void);
