/* What a Job does next: pure, so that a table can test it. Kubernetes' rules (kubernetes.io/docs/concepts/workloads/controllers/job). */
#pragma once
#include "jobstate.h"

enum job_seen_state {
  JOB_SLOT_DOWN, /* its pod does not run, and nothing says that it has: somebody has stopped it, or the machine */
  JOB_SLOT_UP,   /* it is starting, or runs */
  JOB_SLOT_STOPPING,
  JOB_SLOT_SUCCEEDED, /* all its containers have ended with success */
  JOB_SLOT_FAILED,
};

/* How one of its containers ended. */
struct job_end {
  const char *container;
  int code; /* Kubernetes' exit code; -1: no process was there to end */
};

/* What is seen of a slot now. */
struct job_seen {
  enum job_seen_state state;
  bool disrupted;             /* FAILED, but from outside */
  bool starting;              /* UP, but its unit is not yet */
  const char *why;            /* FAILED by more than exit codes: "DeadlineExceeded"; NULL */
  const struct job_end *ends; /* those that failed */
  size_t n_ends;
  int64_t restarts; /* of its containers since the pod's start, by the manager */
};

/* How it failed, for people: "container main: exit code 42". */
void job_seen_text(const struct job_seen *seen, char *ret, size_t size);

struct job_actions {
  bool *start, *stop; /* by slot */
  bool changed;       /* the state is another one: to be written before anything else is done */
  bool over;          /* nothing more is to be done: the controller may end */
  int64_t wake_at;    /* seconds since the epoch; JOB_NONE: at the next event */
};

/* After so many failures in a row: 10 s, 20 s, …, six minutes at most; 0 for none. */
int64_t job_backoff(int64_t failures);

/*
 * The next state and what is to be done. `seen` and the actions' arrays have spec->n_slots; these are written anew. `first`: this
 * controller has just started, and was not there when what is down now went down.
 */
void job_decide(const struct job_spec *spec, struct job_state *state, const struct job_seen *seen, bool first, int64_t now,
                struct job_actions *actions);
