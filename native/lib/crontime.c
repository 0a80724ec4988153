/* When a CronJob is due: see crontime.h. */
#include "crontime.h"

#include <time.h>

enum { MINUTE = 60, HOUR = 3600, ALL_HOURS = 0xffffff };
/* Further back nobody looks: more than the eight years from one 29th of February to the next but one. */
#define FARTHEST ((int64_t)10 * 366 * 24 * HOUR)

static bool local(int64_t at, struct tm *ret) {
  const time_t t = (time_t)at;
  return localtime_r(&t, ret);
}

static bool fits_hour(const struct cron_when *w, const struct tm *tm) {
  if (!(w->months >> (tm->tm_mon + 1) & 1) || !(w->hours >> tm->tm_hour & 1)) return false;
  const bool day = w->days >> tm->tm_mday & 1, weekday = w->weekdays >> tm->tm_wday & 1;
  return w->either ? day || weekday : day && weekday;
}

/* Whether the clock has shown this time before: clocks are put back by an hour, or by half of one. */
static bool is_second(int64_t at, const struct tm *tm) {
  for (int64_t back = HOUR / 2; back <= HOUR; back += HOUR / 2) {
    struct tm before;
    if (local(at - back, &before) && before.tm_hour == tm->tm_hour && before.tm_min == tm->tm_min) return true;
  }
  return false;
}

int64_t cron_latest(const struct cron_when *w, int64_t after, int64_t now) {
  if (now - after > FARTHEST) after = now - FARTHEST;
  struct tm tm;
  /* Offsets of zones are whole minutes since 1972, and no schedule is older. */
  for (int64_t at = now - now % MINUTE; at > after && local(at, &tm);) {
    if (!fits_hour(w, &tm)) {
      at -= (tm.tm_min + 1) * MINUTE; /* the last minute of the hour before */
      continue;
    }
    if ((w->minutes >> tm.tm_min & 1) && (w->hours == ALL_HOURS || !is_second(at, &tm))) return at;
    at -= MINUTE;
  }
  return 0;
}
