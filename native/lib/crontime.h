/* When a CronJob is due: cron's rules on the clock of a time zone. */
#pragma once
#include "util.h"

/* Bit N stands for the number N. */
struct cron_when {
  uint64_t minutes;             /* 0 to 59 */
  uint32_t hours, days, months; /* 0 to 23, 1 to 31, 1 to 12 */
  uint8_t weekdays;             /* 0 to 6, from Sunday */
  bool either;                  /* one of days and weekdays is enough; else both must fit */
};

/*
 * The latest time at which it was due after `after`, up to `now` (seconds since the epoch), or 0. In the time zone that tzset(3) has found.
 * As systemd's timers have it: of an hour that a clock has twice only the first counts, but for what is due at every hour.
 */
int64_t cron_latest(const struct cron_when *when, int64_t after, int64_t now);
