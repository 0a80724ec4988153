/* What the files of make*.c share: a container's maker at work. */
#pragma once
#include "make.h"

struct maker {
  const struct oci_make_wish *wish;
  struct oci_made *made;
  struct oci_cgroup_wish cgroup;
  struct oci_filter filter;
  struct oci_mounts mounts;
  int bundle, cgroup_fd, listen; /* the bundle's folder; cgroup2's to be born in, or -1; start.sock, or -1 */
  bool rootless;
};

/* --- make_config.c --- */

/* Reads config.json, keeps a copy, and refuses what does not go together. Fills m->bundle, made->spec, and container.bundle and rootfs. */
int maker_read(struct maker *m, struct err *err);

/* --- make_attend.c --- */

/* After the clone: gives the child what only we can, and does what it asks for until it is ready. *ret_exit: as oci_make, when it failed.
 */
int maker_attend(struct maker *m, const struct oci_init *init, int *ret_exit, struct err *err);
/* "Go on." */
int maker_release(const struct maker *m, struct err *err);

/* --- unmake.c --- */

/* Kills it and waits, at most 10 s. -1: nobody. */
void oci_end_process(int pidfd);
