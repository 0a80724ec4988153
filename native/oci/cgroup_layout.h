/* Which hierarchies of cgroups this machine has, where they are mounted and what controls what: cgroup2, cgroup v1, both. */
#pragma once
#include "lib/util.h"

enum cg_controller {
  CG_CPU,
  CG_CPUSET,
  CG_MEMORY,
  CG_IO, /* "blkio" of v1 */
  CG_PIDS,
  CG_HUGETLB,
  CG_RDMA,
  CG_MISC,
  CG_CPUACCT, /* from here on: of v1 alone */
  CG_DEVICES,
  CG_FREEZER,
  CG_NET_CLS,
  CG_NET_PRIO,
  CG_PERF_EVENT,
  CG_SYSTEMD, /* "name=systemd", which limits nothing */
  CG_CONTROLLERS
};

enum { CG_HIERARCHIES = 20 };

struct cg_hierarchy {
  bool v2;
  unsigned controllers; /* bits 1 << CG_... ; of cgroup2: 0 until asked */
  char *mount;          /* where */
  char *root;           /* which of its folders is mounted there: "/", or what a container's engine gave */
};

struct cg_layout {
  struct cg_hierarchy h[CG_HIERARCHIES];
  size_t n;
  int v2;       /* index of cgroup2, or -1 */
  bool unified; /* cgroup2 alone */
};

/* Read once in the life of the process: two system calls where /sys/fs/cgroup is cgroup2. */
int cg_layout(const struct cg_layout **ret, struct err *err);

/* "cpu", "io": the name in cgroup2's and v1's files (`v2`: "io", else "blkio"). */
const char *cg_controller_name(enum cg_controller c, bool v2);
/* Bits of the names in a list, separated by any of `separators`; unknown names are passed over. */
unsigned cg_controllers_parse(const char *list, const char *separators);

/* The path of `pid` (0: ours) below what is mounted of hierarchy `h`; NULL when it cannot be known or is elsewhere. */
char *cg_path_of(const struct cg_layout *l, size_t h, pid_t pid);

/* --- parts, for tests --- */

/* The hierarchies of a /proc/PID/mountinfo. */
int cg_layout_parse(const char *mountinfo, struct cg_layout *ret);
void cg_layout_free(struct cg_layout *l);
/* The line of a /proc/PID/cgroup for that hierarchy; a new string, or NULL. */
char *cg_path_parse(const char *text, const struct cg_hierarchy *h);
