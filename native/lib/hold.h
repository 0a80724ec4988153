/* What pause and infra have in common: long-lived owners of namespaces that their containers must not get at. */
#pragma once
#include "util.h"

/*
 * Replaces the process by a fresh podrt, `argv` being its words. For two reasons. The memory of the set-up goes. And
 * the new memory map belongs to the user namespace we are in (mm->user_ns is set by execve), so that hold_protect() can
 * forbid tracing without forbidding the user to join our namespaces: see there. Only returns on failure.
 */
int hold_exec(char *const argv[], struct err *err);

/*
 * Makes the process untraceable for containers that share its user namespace, where root has our uid.
 *
 * setns(pidfd) and /proc/PID/ns/... ask for ptrace read access (kernel/nsproxy.c, fs/proc/namespaces.c). For a process
 * that is not dumpable this wants CAP_SYS_PTRACE in mm->user_ns. Tried on 6.18:
 *  - not dumpable, memory map of the host's user namespace (no exec since setns): the user's own podrt gets EPERM;
 *  - not dumpable, memory map of the pod's user namespace: the user owns that namespace, has every capability in it
 *    and may join; a container's root has our uid but no CAP_SYS_PTRACE there, so that /proc/PID/{root,mem,fd,environ} and
 *    ptrace(2) are refused. Its capabilities being fewer than ours is a second reason to refuse (cap_ptrace_access_check),
 *    which is why ours are kept.
 * A privileged container has CAP_SYS_PTRACE; it cannot see us, whose PID namespace is the host's (podinit.h), unless it has that itself
 * (hostPID): then it is as good as the user, as its writer has allowed.
 */
int hold_protect(const char *name);
