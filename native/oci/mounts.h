/* The file systems of an OCI container: its root, mounts, devices, masks; by descriptor, everything in the rootfs is untrusted. */
#pragma once
#include "cgroup.h"
#include "spec.h"

struct oci_mounts {
  const struct oci_spec *spec;
  int bundle;      /* descriptor of the bundle's folder: root.path and bind sources may be relative to it */
  bool new_userns; /* the container has a user namespace of its own */
  bool no_pivot;   /* --no-pivot: MS_MOVE and chroot */
  const struct oci_cgroup *cgroup;
  int *prepared; /* by oci_mounts_prepare, one per mount: a detached mount, or -1 */
  int root;      /* of the container, O_PATH, once made; else -1 */
  int devpts;    /* the devpts mount at /dev/pts, or -1 */
};

/*
 * In the parent, before clone: what the child could not do, being root of a lesser user namespace: id-mapped mounts, and bind sources
 * that it could not reach. Inherited by the child.
 */
int oci_mounts_prepare(struct oci_mounts *m, struct err *err);
void oci_mounts_release(struct oci_mounts *m);
/* In the child, in its namespaces, before the hooks createRuntime: propagation, the root, all mounts, devices and their links. */
int oci_mounts_make(struct oci_mounts *m, struct err *err);
/* /dev/console on the terminal's slave (bound by descriptor); the terminal itself is lib/kernelfs.h's. */
int oci_mounts_console(struct oci_mounts *m, int slave, struct err *err);
/* After the hooks createContainer: pivots, applies rootfsPropagation, sysctl, masked and read-only paths, root.readonly. cwd is "/" then.
 */
int oci_mounts_enter(struct oci_mounts *m, struct err *err);
