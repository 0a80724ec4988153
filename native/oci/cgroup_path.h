/* Where a container's cgroup is to be: by linux.cgroupsPath, or by default. */
#pragma once
#include "lib/util.h"

/* "/a/b" of "a//b/": absolute, without empty parts and "."; NULL (out of memory apart, *ret_bad says) for ".." and unprintable ones. */
char *cg_path_clean(const char *path, bool *ret_bad);
/* The folder above; "/" for "/". A new string. */
char *cg_path_parent(const char *path);

/* systemd's names for "slice:prefix:name"; *ret_slice is "" where none is said. New strings. */
int cg_scope_parse(const char *cgroups_path, const char *id, char **ret_slice, char **ret_scope, struct err *err);
