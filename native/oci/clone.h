/* The clone of a container's first process. */
#pragma once
#include "init.h"

/*
 * Makes it run oci_init_main in new namespaces, as our own child with SIGCHLD. Where some are joined by path, a process between us and it
 * joins them, so that we stay where we are. `cgroup`: a cgroup2 folder to be born in, or -1. Returns the pid; *ret_pidfd is its.
 * Closes init->sock in the parent, and `sock`, the parent's end, in the child: it ends when the parent does.
 */
pid_t oci_clone(struct oci_init *init, int cgroup, int sock, int *ret_pidfd, struct err *err);
