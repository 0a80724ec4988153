/* Limits of linux.resources written into a cgroup's folders, v1's or cgroup2's files, whichever controller is where. */
#pragma once
#include "cgroup_set.h"
#include "resources.h"

/* The controllers (bits) without which something of `r` cannot be. What says "unlimited" needs none. */
unsigned cg_needs(const struct oci_resources *r);
/*
 * Writes what is said, devices apart. A limit that there is no file for is an error that names the controller; what is no limit (-1) is
 * then left out, and so is what v1 had and cgroup2 has not: swappiness, the OOM killer's switch, kernel memory, leaf weights.
 */
int cg_limits(const struct cg_set *set, const struct oci_resources *r, bool update, struct err *err);

/* --- between the files of it --- */

struct cg_limits {
  const struct cg_set *set;
  const struct oci_resources *r;
  bool update;
  struct err *err;
};
/* One file. `optional`: may be missing. */
int cg_put(const struct cg_limits *l, enum cg_controller c, const char *file, const char *text, bool optional);
/* A number, -1 as "max" (cgroup2) or "-1" (v1), and then optional. OCI_UNSET: nothing is done. A NULL name: there is no such file there. */
int cg_put_number(const struct cg_limits *l, enum cg_controller c, const char *v1, const char *v2, int64_t value);
/* Whether the controller is on cgroup2. */
bool cg_is_v2(const struct cg_limits *l, enum cg_controller c);

int cg_limit_memory(const struct cg_limits *l);
int cg_limit_cpu(const struct cg_limits *l);
int cg_limit_io(const struct cg_limits *l);
