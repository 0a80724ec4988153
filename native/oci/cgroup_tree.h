/* Folders of one hierarchy of cgroups: made, with what they need to be of use, and removed. */
#pragma once
#include "cgroup_layout.h"

/* Makes `path` below the hierarchy's mount; *ret_dir: O_PATH. See cg_set_make. */
int cg_tree_make(const struct cg_hierarchy *h, const char *path, unsigned needs, int *ret_dir, struct err *err);
/* Removes a folder with all below it; tries again until the deadline while processes are in it (-EBUSY then). */
int cg_tree_remove(const char *folder, int64_t deadline);
/* v1's cpuset: what of CPUs and memory nodes a folder has not is the folder's above, and so on upwards. */
int cg_tree_fill_cpuset(const char *mount, const char *path);
