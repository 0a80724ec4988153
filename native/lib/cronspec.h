/* cron.json, what podgen says of a CronJob: when its runs are due, and the slots for them. Its form: native/README.md, "CronJobs". */
#pragma once
#include "cronchoice.h"
#include "crontime.h"
#include "jsonload.h"

/* A Job that stands ready to be a run. Texts are the tree's. */
struct cron_slot {
  const char *job;   /* its name, "nightly-r0" */
  const char *unit;  /* its controller's */
  const char *file;  /* absolute: its job.json */
  const char *state; /* absolute: what its controller writes */
};

struct cron_spec {
  json_t *tree;
  const char *name;
  const char *timer;           /* its unit: nothing begins by the clock while it is stopped */
  const char *schedule, *zone; /* as written; zone "": the host's */
  struct cron_when when;
  enum cron_policy policy;
  bool suspended;
  int64_t deadline;        /* seconds; negative: none */
  int64_t keep[2];         /* how many runs that failed, and that succeeded, are kept */
  int64_t ttl;             /* how many seconds each of them is; negative: for ever */
  const char *state;       /* absolute: our own */
  const char *history;     /* absolute: the folder of ended runs' states */
  struct cron_slot *slots; /* at least one */
  size_t n;
};

/* Reads the file at an absolute path. -EINVAL for what podgen would not write. */
int cron_spec_read(const char *path, struct cron_spec *ret, struct err *err);
/* The same of a text. */
int cron_spec_parse(const char *text, size_t len, struct cron_spec *ret, struct err *err);
void cron_spec_free(struct cron_spec *spec);
/* Sets TZ, for localtime(3). -ENOENT where this machine does not know the time zone: C libraries would take UTC for it. */
int cron_spec_zone(const struct cron_spec *spec, struct err *err);
