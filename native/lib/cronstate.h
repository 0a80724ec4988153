/* What a CronJob remembers between its looks at the clock, and what the Jobs of its slots have written. */
#pragma once
#include "cronspec.h"

struct cron_state {
  int64_t last;       /* what was due up to then is settled; seconds since the epoch */
  int64_t ran;        /* the time for which the last run by the clock was begun; 0: none yet */
  char starting[256]; /* the Job that was about to be started; empty: none */
};

/*
 * The file's; of one that is new, of another schedule, broken, or of a time to come, it begins with `now`, and *ret_fresh is true: nothing
 * was missed.
 */
void cron_state_read(const struct cron_spec *spec, int64_t now, struct cron_state *ret, bool *ret_fresh);
/* It is on the disk then. */
int cron_state_write(const struct cron_spec *spec, const struct cron_state *state, struct err *err);

enum cron_phase { CRON_ABSENT, CRON_GOING, CRON_COMPLETE, CRON_FAILED, CRON_EXPIRED };

/* How far a Job is by its state file; *ret_ended: when it ended, 0 where it has not. What cannot be read is CRON_ABSENT. */
enum cron_phase cron_phase_read(int dirfd, const char *path, int64_t *ret_ended);

/* Takes a slot's state file out of the way: of an ended run into the history, any other is removed. */
int cron_history_take(const struct cron_spec *spec, const struct cron_slot *slot, struct err *err);
/* Removes what is too much of the history, with slots' ended runs counted in, the oldest first. */
int cron_history_cut(const struct cron_spec *spec, int64_t now, struct err *err);
