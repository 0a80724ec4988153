/*
 * `mains` in a pod's run folder: the names of its containers that count, a line each, and those of its sidecars, with + before. The pod's
 * unit writes it when it begins to wait for them and removes it at its stop: so it is there as long as the pod is starting or up, for who
 * waits for the pod.
 */
#pragma once
#include "proc.h"

/* Beside it, why the pod was ended (DeadlineExceeded): JSON, gone with the next start of the pod. */
#define MAINS_FAILED "failed.json"

/* And when the pod's containers were first asked to stop, in milliseconds of clock_ms(): gone likewise. */
#define MAINS_STOPPING "stopping"

/* Those of these run folders ("pods/web/app"), which are one pod's; nothing for others. `run` is run_open()'s. `sidecars` may be NULL. */
int mains_write(int run, char *const *folders, char *const *sidecars, struct err *err);
/* At the pod's stop. Best effort: who looks for it looks whether the pod lives, too. */
void mains_remove(int run, char *const *folders);

/* From now on the pod is stopping; `again`: also if it was before. `dir` is the pod's run folder. Best effort: who finds nothing takes all
 * of its time. */
void mains_stopping(int dir, bool again);
/* When that was; -1: it is not. */
int64_t mains_stop_began(int dir);

struct mains {
  char *text;   /* to be freed; the names point into it */
  char **names; /* sidecars last */
  size_t n, n_sidecars;
};
/* -ENOENT where there is none, -EBADMSG when it holds what is no name. `dir` is the pod's run folder. */
int mains_read(int dir, struct mains *ret);
void mains_free(struct mains *mains);
