/* Stops all processes of a cgroup for a while, by cgroup2's own freezer (cgroups(7), cgroup.freeze), which needs no controller. */
#pragma once
#include "util.h"

/*
 * Freezes the group at the folder `cgroup`, and returns when nothing in it runs any more. From then on signals that end us (HUP, INT, TERM)
 * thaw it first. One that was frozen before stays so. -ETIMEDOUT: its processes do not come to rest; then it is thawed.
 */
int freeze_begin(const char *cgroup, struct err *err);
/* Thaws what freeze_begin() froze; nothing else. */
void freeze_end(void);
