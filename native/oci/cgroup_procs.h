/* The processes of a cgroup: listed, frozen, killed. */
#pragma once
#include "cgroup_set.h"

/* Of the folder and all below; sorted, each once. A new array. */
int cg_processes(const struct cg_set *set, pid_t **ret, size_t *ret_n);
/*
 * The folder below in which the lowest pid is, by cgroup2, as the caller's PID namespace numbers them: in the container's own that is its
 * init. "": the folder itself; NULL: there is nobody. A new string.
 */
char *cg_first_process(const struct cg_set *set);
/* Waits until it is so, at most 10 s; thaws again when that did not do. -EOPNOTSUPP without a freezer. */
int cg_freeze(const struct cg_set *set, bool frozen);
bool cg_is_frozen(const struct cg_set *set);
/* As oci_cgroup_kill. */
int cg_kill(const struct cg_set *set, int number);
