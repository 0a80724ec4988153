/* Joining a pod's namespaces, which its infra process holds; and a container's, for exec. */
#pragma once
#include "podids.h"
#include "proc.h"

/*
 * Finds the living infra of a run folder (`join`, "pods/web/_infra"), waiting up to 10 s for it to appear. Returns its pidfd; *ret_dir is
 * the run folder, *ret_pid its pid. -ESRCH: it does not run.
 */
int joinpod_open(int run, const char *join, int *ret_dir, pid_t *ret_pid, struct err *err);

/*
 * Joins user, network, ipc and uts of infra. Namespaces that infra has
 * from the host (host network) are the ones we are in. The caller has one thread, and is root in the user namespace after: in the user's
 * where the pod has one of its own (poduserns.h).
 */
int joinpod_enter(int pidfd, pid_t pid_of_infra, const struct podids *ids, struct err *err);

/*
 * Joins all namespaces of a container's process, the user namespace by way of infra's pidfd first: a process that has changed its
 * user may not be dumpable, and then only somebody with CAP_SYS_PTRACE in its user namespace may join the others. Waits up to 10 s until
 * the container's own command runs.
 */
struct joinpod_container {
  int infra, pidfd; /* pidfds of infra and of the container */
  pid_t infra_pid, pid;
};
int joinpod_enter_container(const struct joinpod_container *c, const struct podids *ids, struct err *err);
