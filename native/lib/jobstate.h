/* How far a Job is: kept in a file over stops, crashes and reboots (native/README.md, "A Job's state"). */
#pragma once
#include "jobspec.h"

enum job_phase { JOB_RUNNING, JOB_SUSPENDED, JOB_COMPLETE, JOB_FAILED, JOB_EXPIRED };

/* Of one slot. */
struct job_run {
  bool up;            /* it has been started, and has not ended yet */
  int64_t attempt;    /* of the last start, from 1 on */
  int64_t started_at; /* of the last start */
  int64_t failures;   /* that count, of the slot's index */
  int64_t retry_at;   /* not started again before */
};

/* All times are seconds since the epoch, 0 for none. */
struct job_state {
  enum job_phase phase;
  char reason[40], message[256];
  int64_t started_at, finished_at;
  int64_t succeeded, failed;
  int64_t streak;   /* failures since the last success */
  int64_t retry_at; /* no slot is started again before; of a Job without backoffLimitPerIndex */
  size_t n;         /* slots */
  struct job_run *runs;
  bool *completed, *given_up; /* indexes; of an Indexed Job */
};

/* A Job that has not begun. -ENOMEM. */
int job_state_new(const struct job_spec *spec, struct job_state *ret, struct err *err);
/* As it was when it was last written; a new one where there is none, and where it is another run's. -EBADMSG for what is no such file. */
int job_state_read(const struct job_spec *spec, struct job_state *ret, struct err *err);
/* Atomically, and on the disk when it returns. */
int job_state_write(const struct job_spec *spec, const struct job_state *state, struct err *err);
/* The text of the file, a new string; NULL when out of memory. */
char *job_state_text(const struct job_spec *spec, const struct job_state *state);
/* Makes `to` what `from` is; both are of the same Job. */
void job_state_copy(struct job_state *to, const struct job_state *from);
void job_state_free(struct job_state *state);
/* `running`, … */
const char *job_phase_word(enum job_phase phase);
