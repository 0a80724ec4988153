/*
 * `mains` in a pod's run folder: the names of its containers that count, a line each, and those of its sidecars, with + before. The pod's
 * unit writes it when it begins to wait for them and removes it at its stop: so it is there as long as the pod is starting or up, for who
 * waits for the pod.
 */
#pragma once
#include "proc.h"

/* Beside it, why the pod was ended (DeadlineExceeded): JSON, gone with the next start of the pod. */
#define MAINS_FAILED "failed.json"

/* Those of these run folders ("pods/web/app"), which are one pod's; nothing for others. `run` is run_open()'s. `sidecars` may be NULL. */
int mains_write(int run, char *const *folders, char *const *sidecars, struct err *err);
/* Best effort: who looks for it looks whether the pod lives, too. */
void mains_remove(int run, char *const *folders);

struct mains {
  char *text;   /* to be freed; the names point into it */
  char **names; /* sidecars last */
  size_t n, n_sidecars;
};
/* -ENOENT where there is none, -EBADMSG when it holds what is no name. `dir` is the pod's run folder. */
int mains_read(int dir, struct mains *ret);
void mains_free(struct mains *mains);
