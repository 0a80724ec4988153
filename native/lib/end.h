/* Ends of containers for good: which they are, and what follows for the pod. */
#pragma once
#include "util.h"

enum end_restart { END_ALWAYS, END_ON_FAILURE, END_NEVER };

struct end_policy {
  enum end_restart restart;
  const char *codes; /* "1-41,43": exit codes after which it is started anew all the same; NULL: none */
  bool init;
};

/* How it ended, in the words of systemd.exec(5), $SERVICE_RESULT, $EXIT_CODE and $EXIT_STATUS. */
struct end {
  const char *result, *code, *status;
};

/* False for what is no list of exit codes. */
bool end_codes_ok(const char *codes);
/* Kubernetes' exit code: 128 and the signal's number for one that was killed. -1: no process was there to end. */
int end_exit_code(const struct end *end);
bool end_is_success(const struct end *end);
/* Whether the manager will not start it again by itself. */
bool end_is_final(const struct end_policy *policy, const struct end *end);

/* Whether all containers of a pod have ended for good; `dir` is the pod's run folder. */
bool end_pod_is_over(int dir);
/*
 * Does what follows from a final end of the container of this run folder ("pods/web/app"): the mark `done` (started.h), and when all of the
 * pod's containers have it, their sidecars stop; when an init container has failed, the pod does. Not where somebody's job is under way: a
 * stop or a restart is no end of the container's own. -EINVAL for a folder of another form, else what the manager or the disk said.
 */
int end_settle(int run, const char *run_dir, const struct end_policy *policy, const struct end *end, struct err *err);
