/* Hiding and write-protecting paths of a container, chiefly of /proc and /sys. */
#pragma once
#include "util.h"

/*
 * A folder disappears behind an empty read-only tmpfs, a file behind the host's /dev/null. Paths that are not there are left out. `label`:
 * SELinux's for that tmpfs, or NULL.
 */
int mask_paths(int root, const char *const *paths, const char *label, struct err *err);
/* Each path becomes a read-only mount of itself. */
int mask_read_only(int root, const char *const *paths, struct err *err);
/* The host's device at an absolute path, opened O_PATH after a look at what it is; -ENODEV when it is something else. */
int mask_open_device(const char *path, unsigned major, unsigned minor);
