/* The file by which podgen tells podrt of a Job (native/README.md, "A Job's file"). */
#pragma once
#include <jansson.h>

#include "util.h"

enum { JOB_NONE = -1 }; /* of a number that is not given */

enum job_action { JOB_COUNT, JOB_IGNORE, JOB_FAIL_INDEX, JOB_FAIL_JOB };

/* A rule of podFailurePolicy. */
struct job_rule {
  enum job_action action;
  /* Of the pod's conditions, instead of exit codes. */
  bool of_conditions, disrupted;
  const char *container; /* NULL: any */
  bool in;               /* the exit code is one of the values; else none of them, and not 0 */
  int64_t *values;
  size_t n_values;
};

/* A rule of successPolicy. */
struct job_success {
  bool *indexes; /* of all slots; NULL: any */
  int64_t count; /* JOB_NONE: all of them */
};

struct job_container {
  const char *name, *unit;
  bool init, sidecar;
};

/* A pod in which the Job's runs take place, one after the other. */
struct job_slot {
  const char *pod, *unit;
  int64_t index;
  const char **folders; /* absolute; made empty before each run */
  size_t n_folders;
  struct job_container *containers;
  size_t n_containers;
};

struct job_spec {
  json_t *root; /* has all strings */
  const char *name, *run, *state;
  bool indexed, suspend, never; /* never: restartPolicy Never, else OnFailure */
  int64_t completions, parallelism, backoff_limit, backoff_limit_per_index, max_failed_indexes, active_deadline, ttl;
  struct job_rule *rules;
  size_t n_rules;
  struct job_success *successes;
  size_t n_successes;
  struct job_slot *slots;
  size_t n_slots;
};

/* -EBADMSG or -EINVAL with the JSON path for what podgen would not write; what it cannot read otherwise. To be freed also then. */
int job_spec_read(const char *path, struct job_spec *ret, struct err *err);
/* The same from text. */
int job_spec_parse(const char *text, size_t len, struct job_spec *ret, struct err *err);
void job_spec_free(struct job_spec *spec);
