/* What a CronJob does now: see cronchoice.h. */
#include "cronchoice.h"

/* The first slot that is free, or that is not; n where there is none. */
static size_t first(const struct cron_now *c, bool busy) {
  size_t i = 0;
  while (i < c->n && c->busy[i] != busy) i++;
  return i;
}

struct cron_choice cron_choose(const struct cron_now *c) {
  const size_t free_one = first(c, false), busy_one = first(c, true);
  const bool taken = busy_one < c->n;
  /* One at a time, but for Allow; podgen gives the others one slot, yet may just have had more. */
  const bool room = free_one < c->n && (c->policy == CRON_ALLOW || !taken);
  const struct cron_choice start = {CRON_START, free_one}, full = {.what = CRON_FULL};
  if (c->by_hand) return room ? start : full;
  if (c->suspended || !c->due) return (struct cron_choice){.what = CRON_NOTHING};
  if (c->deadline >= 0 && c->now - c->due > c->deadline) return (struct cron_choice){.what = CRON_MISSED};
  if (c->policy == CRON_REPLACE && taken) return (struct cron_choice){CRON_INSTEAD, busy_one};
  return room ? start : full;
}
