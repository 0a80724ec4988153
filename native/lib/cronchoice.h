/* What a CronJob does now: a pure decision over what is due and what runs. */
#pragma once
#include "util.h"

enum cron_policy { CRON_ALLOW, CRON_FORBID, CRON_REPLACE };

struct cron_now {
  enum cron_policy policy;
  bool suspended;
  bool by_hand;     /* a person wants a run, whatever is due; it never ends another */
  int64_t due;      /* the latest time that was due and has had no run; 0: none */
  int64_t deadline; /* how many seconds later a run may begin; negative: any time */
  int64_t now;
  const bool *busy; /* of each slot: a run is there that goes on */
  size_t n;
};

enum cron_what {
  CRON_NOTHING,
  CRON_MISSED, /* it is too late for what was due */
  CRON_FULL,   /* no room: what is due stays so */
  CRON_START,  /* in the slot */
  CRON_INSTEAD /* in the slot, whose run is ended first */
};

struct cron_choice {
  enum cron_what what;
  size_t slot;
};

struct cron_choice cron_choose(const struct cron_now *now);
