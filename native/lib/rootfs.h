/* A container's root file system out of image layers and a writable folder: overlay, fuse-overlayfs, or a copy. */
#pragma once
#include "bundle.h"

/*
 * Makes upper/, work/ and merged/ fresh in fs->upper (made if it is not there); what was in the way is moved aside, for
 * rootfs_clean(). upper/ gets owner and mode of the topmost layer's root, which overlay shows as the container's "/".
 * The caller is root in the user namespace. Returns a descriptor of the folder.
 */
int rootfs_prepare(const struct bundle_rootfs *fs, struct err *err);
/* Removes what rootfs_prepare moved aside, also earlier ones that were left by a start that was killed. Best effort. */
void rootfs_clean(int folder);

/*
 * Mounts overlay at merged/, in the calling process's own mount namespace, owned by the user namespace. Returns an O_PATH descriptor
 * of the mounted root. With `ret_unsupported` true the failure means that another driver may work: an old kernel, a file system
 * that cannot carry an upper layer, a security module that forbids it.
 */
int rootfs_overlay(const struct bundle_rootfs *fs, bool *ret_unsupported, struct err *err);
/* The same by mount(2), for kernels before 6.5, which have no lowerdir+; layers are named by descriptor numbers, so that 300 fit in a page.
 */
int rootfs_overlay_old(const struct bundle_rootfs *fs, struct err *err);

/* Whether all layers are there; the error says what to do where one was podman's. */
int rootfs_look(const char **layers, size_t n, struct err *err);
/* Layers (bottom first, two or more) as one at the folder `at`, not to be written to. Returns a descriptor of its root. */
int rootfs_view(const char **layers, size_t n, const char *at, struct err *err);

/*
 * Starts fuse-overlayfs on merged/ and returns when it serves. It goes on in the background in the caller's cgroup, PID and mount
 * namespace: the caller has a mount namespace of its own and clones the container from it. -ENOENT: no such program, -ENODEV: no /dev/fuse.
 */
int rootfs_fuse(const struct bundle_rootfs *fs, struct err *err);

/* Copies all layers into merged/. */
int rootfs_copy(const struct bundle_rootfs *fs, struct err *err);
/* Copies what is in the folder `from` (O_PATH or not) into `to`, with owners, modes, attributes and times. */
int rootfs_copy_folder(int from, int to, struct err *err);
/*
 * Copies a layer, whiteouts and overlay's marks included, into the empty folder `to`, with the pod's ids for owners. The caller is root in
 * the user's namespace. -ERANGE: a file belongs to an id that the pod has not.
 */
int rootfs_shift_layer(const char *layer, int to, const struct podids *ids, struct err *err);
/* merged/ (or any folder) as a mount of its own, attached to itself. Returns an O_PATH descriptor of its root. */
int rootfs_bind(const char *path, struct err *err);

/* Makes `root` the root of the mount namespace and drops the old one. cwd is then "/". */
int rootfs_pivot(int root, struct err *err);
