/* What the files of mounts*.c share: a mount's options, read once by the parent, and the steps they are made of. */
#pragma once
#include "lib/mountfd.h"
#include "mounts.h"
#include "selinux.h"

struct oci_mount_plan {
  char *path;                              /* the destination, cleaned: "/a/b" */
  char *source;                            /* of a bind mount, absolute */
  uint64_t set, clear;                     /* MOUNT_ATTR_* of the mount itself */
  uint64_t recursive_set, recursive_clear; /* and of all below */
  uint64_t propagation;                    /* MS_SHARED, ...; 0: not said */
  bool propagation_recursive;
  bool bind, recursive, remount, copy_up, copy_symlink, source_nofollow, target_nofollow;
  bool id_mapped, id_mapped_recursive;
  const char *id_map;       /* crun's "uids=...;gids=..." of idmap=, or NULL */
  unsigned long super;      /* MS_* of the file system: sync, dirsync, mand, lazytime, ... */
  struct mount_param *data; /* for the file system; keys allocated */
  size_t n_data;
};

/* --- mounts_options.c --- */

/* `bundle`: what relative sources are relative to, with a slash at the end; "" for the cwd. */
int oci_plan_parse(const struct oci_mount *mount, const char *bundle, struct oci_mount_plan *ret, struct err *err);
void oci_plan_free(struct oci_mount_plan *plan);
/* Go's filepath.Clean for an absolute path, which is what engines expect of destinations. A new string, NULL when out of memory. */
char *oci_path_clean(const char *path);
/* Sets a bind mount's attributes and propagation; what a user namespace is not allowed to lift stays. */
int oci_plan_apply(const struct oci_mount_plan *plan, int mount);

/* --- mounts_fs.c --- */

/* A new file system of any type, detached. `attrs`: MOUNT_ATTR_*. `label`: SELinux's for its files, or NULL. */
int oci_fs_new(const char *type, const char *source, const struct oci_mount_plan *plan, uint64_t attrs, const char *label, struct err *err);

/* --- mounts_bind.c --- */

/* A detached clone of what is at a path of the host, of any length; relative ones from the cwd. */
int oci_host_clone(const char *path, bool recursive, bool nofollow);
/* In the parent. What it may not do is left to the child, which may. */
void oci_root_prepare(struct oci_mounts *m);
int oci_bind_prepare(struct oci_mounts *m, size_t i, struct err *err);
/* In the child: the detached tree with its attributes. */
int oci_bind_tree(struct oci_mounts *m, size_t i, struct err *err);

/* --- mounts_idmap.c --- */

int oci_idmap_apply(const struct oci_mounts *m, size_t i, int mount, struct err *err);

/* --- mounts_target.c --- */

/* Attaches a detached mount at a destination in the container, which is made if it is not there. */
int oci_target_attach(struct oci_mounts *m, size_t i, int mount, bool folder, bool plain, struct err *err);
/* Something to mount on, checked; for who must see it first. */
int oci_target_open(struct oci_mounts *m, size_t i, bool folder, struct err *err);
int oci_target_attach_to(struct oci_mounts *m, size_t i, int mount, int target, struct err *err);

/* --- mounts_kinds.c --- */

/* In the child: the mount with this number, of whatever kind. */
int oci_mount_one(struct oci_mounts *m, size_t i, struct err *err);

/* --- mounts_cgroup.c --- */

/* In the parent. */
int oci_cgroup_look(struct oci_mounts *m, struct err *err);
int oci_cgroup_mount(struct oci_mounts *m, size_t i, struct err *err);

/* --- mounts_dev.c --- */

/* Default devices, linux.devices, links. */
int oci_devices_make(struct oci_mounts *m, struct err *err);

/* --- mounts_root.c --- */

/* Is the mount namespace the container's own: new, or given to it by path (all of it, as runc has it)? */
bool oci_own_mounts(const struct oci_spec *spec);
int oci_root_make(struct oci_mounts *m, struct err *err);
int oci_root_enter(struct oci_mounts *m, struct err *err);

/* --- mounts_sysctl.c --- */

int oci_sysctl_check(const struct oci_spec *spec, struct err *err);
/* Before the pivot. */
int oci_sysctl_set(const struct oci_mounts *m, struct err *err);
