/* What the machine allows, found by trying where that is possible: for `podrt features`. */
#pragma once
#include "util.h"

struct machine_result {
  bool ok;
  char text[600]; /* why not; with ok, a warning or empty */
};

struct machine_userns {
  struct machine_result userns;  /* a user namespace can be made; text: only one id in it, say */
  struct machine_result overlay; /* the kernel mounts overlay in it, upper on the data's file system */
  uint64_t uids, gids;           /* mapped */
};

/* Makes a namespace in a child process and mounts an overlay there, in a temporary folder beside `data` (its nearest parent that exists).
 */
int machine_userns(const char *data, struct machine_userns *ret, struct err *err);

/* newuidmap or newgidmap: found in PATH, and set-user-id root or with file capabilities. */
void machine_map_tool(const char *name, struct machine_result *ret, char path[256]);
/* The first of that name in the absolute folders of PATH that can be executed; as findProgram() in src/host/facts/facts.ts. */
bool machine_find(const char *name, char *ret, size_t size);
/* Layout "unified", "hybrid" or "legacy"; ret->text: the controllers our user manager has, space-separated. ok: limits can be set. */
void machine_cgroup(const char **ret_layout, struct machine_result *ret);
/* seccomp filters that answer with an error. */
void machine_seccomp(struct machine_result *ret);
/* At least 5.12, the first with mount_setattr(2), which every mount of a container needs (mountfd.h). `release` is filled. */
void machine_kernel(struct machine_result *ret, char release[80]);
/* Its rule, by the release alone ("6.1.0-13-amd64"). For tests. */
bool machine_kernel_fits(const char *release);
