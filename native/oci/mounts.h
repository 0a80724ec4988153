/* The file systems of an OCI container: its root, mounts, devices, masks; by descriptor, everything in the rootfs is untrusted. */
#pragma once
#include "cgroup.h"
#include "spec.h"

struct oci_mount_plan; /* mounts_plan.h */

struct oci_mounts {
  const struct oci_spec *spec;
  int bundle;                      /* descriptor of the bundle's folder: root.path and bind sources may be relative to it */
  bool new_userns;                 /* the container has a user namespace of its own */
  bool no_pivot;                   /* --no-pivot: MS_MOVE and chroot */
  const struct oci_cgroup *cgroup; /* may be NULL; of a cgroup manager that knows the path late, the child's own is looked up */
  int *prepared;                   /* by oci_mounts_prepare, one per mount: a detached mount, or -1 */
  int root;                        /* of the container, O_PATH, once made; else -1 */
  int devpts;                      /* the devpts mount at /dev/pts, or -1 */
  /*
   * A bind mount that stays the host's peer must be cloned in the host's mount namespace. `asks`: by the parent while the child makes the
   * mounts, so that mountinfo has them in their order (Linux 6.8 sorts it by when a mount was made); else all of them before. In the child:
   * ask(who, i) has the parent call oci_mounts_clone(m, i), and returns a descriptor of what that gave, or a negative errno.
   */
  bool asks;
  int (*ask)(void *who, size_t i);
  void *who;

  /* Inner affairs of mounts*.c, set by oci_mounts_prepare. */
  struct oci_mount_plan *plans; /* one per mount */
  char *root_path;              /* absolute */
  char *own_cgroups;            /* /proc/self/cgroup of the parent, whose cgroups the child shares where it has none of its own; or NULL */
  int prepared_root;            /* the root's clone, where the child may not be able to reach it; or -1 */
  int dev, proc;                /* the container's own new /dev and /proc, or -1 */
  int *late;                    /* mounts that become read-only once all are made */
  size_t n_late;
  bool dev_is_hosts, binds_devices; /* /dev is a bind mount; mknod(2) is refused */
};

/*
 * In the parent, before clone: reads the options, checks what can be checked, and makes what the child could not, being root of a lesser
 * user namespace: id-mapped mounts, bind sources that it could not reach, those that stay shared with the host. The descriptors
 * are inherited by the child. Where the bundle's path is longer than the kernel can tell (PATH_MAX) and something is relative to it, it
 * becomes the cwd: the only thing that a new mount namespace keeps its place of.
 */
int oci_mounts_prepare(struct oci_mounts *m, struct err *err);
void oci_mounts_release(struct oci_mounts *m);
/* In the parent: the source of mount `i`, cloned for the child. -EINVAL for one that stays nobody's peer. */
int oci_mounts_clone(const struct oci_mounts *m, size_t i);
/* In the child, in its namespaces, before the hooks createRuntime: propagation, the root, all mounts, devices and their links. */
int oci_mounts_make(struct oci_mounts *m, struct err *err);
/* /dev/console on the terminal's slave (bound by descriptor); the terminal itself is lib/kernelfs.h's. */
int oci_mounts_console(struct oci_mounts *m, int slave, struct err *err);
/* After the hooks createContainer: sysctl, masked and read-only paths, pivots, rootfsPropagation, root.readonly. cwd is "/" then. */
int oci_mounts_enter(struct oci_mounts *m, struct err *err);
/* The options that are understood, for `features`, those for all mounts below too; false beyond the last. */
bool oci_mount_option(size_t i, char ret[32]);
