/*
 * PID 1 of the PID namespace that a pod's containers share, on request (shareProcessNamespace).
 *
 * Containers see it, and one with CAP_SYS_PTRACE gets at all it has: so it has nothing. Infra, whose child it is and who has the host's
 * files and all capabilities, is outside of that namespace. It is a program of one page in a sealed memfd (tools/pod_init.c) with an empty,
 * read-only root, no descriptor, no capability, no_new_privs, and not dumpable.
 *
 * It ends with infra (PR_SET_PDEATHSIG), and with it all in its namespace: their units start them again, in the next infra's.
 */
#pragma once
#include "util.h"

/*
 * Starts it and waits until it has given all up; its id is in `init` of the run folder, for podinit_enter(). The caller is in the pod's
 * user and mount namespaces, sees the host's files, and stays its parent through an exec. Returns its pid.
 */
pid_t podinit_start(const char *run_dir, struct err *err);

/* The caller's children are born in the namespace of the pod whose infra has the run folder `infra_dir`. -ESRCH: it shares none. */
int podinit_enter(int infra_dir, struct err *err);
