/*
 * Executing a payload so that no container can reach podrt through /proc.
 *
 * The danger (CVE-2019-5736): podrt on the host belongs to the user, who is root in the user namespace. Who in a container
 * gets hold of /proc/PID/exe of a process that executes podrt could write to it later. Two ways lead there:
 *  1. while podrt's own process is in the container's PID namespace: closed by PR_SET_DUMPABLE 0. Its memory map belongs to
 *     the host's user namespace (it was executed there), in which no container has a capability, so that
 *     ptrace_may_access() refuses /proc/PID/{exe,fd,mem,root,...}; also for containers with CAP_SYS_PTRACE. This holds for run, oneshot
 *     and exec. Infra was executed inside (hold.h), and is in no PID namespace of containers (podinit.h).
 *  2. a payload that *is* /proc/self/exe: as entry point, as an interpreter after #!, by a symlink, as binfmt's
 *     interpreter. The kernel resolves it in the process that executes, and what it starts there is dumpable again. No check
 *     of names beforehand holds, because the files may change meanwhile. So the process that executes the payload
 *     must not be podrt: it is a program of one page (tools/payload_exec.c) in a sealed memfd. Cheaper than
 *     executing a copy of podrt (2 MB), and a container that gets hold of it has nothing.
 */
#pragma once
#include "util.h"

/* Makes the sealed memfd; returns the descriptor. */
int payload_open(struct err *err);
/* Executes argv by way of it; `path` is argv[0] as found (command.h). Only returns on failure. */
int payload_exec(int fd, const char *path, char *const *argv, char *const *env, struct err *err);
