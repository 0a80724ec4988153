/* What the results of a probe add up to, by Kubernetes' thresholds. */
#pragma once
#include "util.h"

enum probe_kind { PROBE_STARTUP, PROBE_READINESS, PROBE_LIVENESS, PROBE_KINDS };

/* Of a result, PROBE_UNKNOWN: it could not be tried. Of a count: nothing is decided yet. */
enum probe_state { PROBE_UNKNOWN, PROBE_OK, PROBE_BAD };

/* Seconds, and how often in a row. */
struct probe_timing {
  unsigned delay, period, timeout, success, failure;
};

struct probe_count {
  enum probe_state state; /* decided */
  enum probe_state last;  /* the last result */
  unsigned run;           /* how many such in a row */
};

/* One more result. True when the state is another one now. What could not be tried leaves all as it was. */
bool probe_count_add(struct probe_count *c, const struct probe_timing *t, enum probe_state result);

/*
 * When the next try is due, on the clock of `now` (milliseconds): at least `delay` seconds after the container's start, a period after the
 * last try began, never in the past. `last_try` negative: there was none.
 */
int64_t probe_due(const struct probe_timing *t, int64_t started, int64_t last_try, int64_t now);

/* "startup", "readiness", "liveness". */
const char *probe_word(enum probe_kind kind);
/* "unknown", "ok", "failed". */
const char *probe_state_word(enum probe_state state);
