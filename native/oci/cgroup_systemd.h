/* A container's cgroup as a transient scope of systemd, by D-Bus: the system's for root, else the user's own. */
#pragma once
#include "cgroup.h"

/*
 * Starts the scope with the process in it, with all limits that systemd knows, and waits until it is there. *ret_path: its cgroup. New
 * strings.
 */
int cg_scope_start(const struct oci_cgroup_wish *wish, pid_t pid, char **ret_scope, char **ret_path, struct err *err);
/* The limits that are said, for systemd to know: else a reload would bring the old ones back. */
int cg_scope_update(const char *scope, const struct oci_resources *r, struct err *err);
/* Stops it, and forgets a failed one. One that is not there is no error. */
int cg_scope_stop(const char *scope, struct err *err);
