/* Mounts by descriptor: the mount API of Linux 5.2 and later, with errors that say what the kernel said. */
#pragma once
#include <sys/mount.h>

#include "util.h"

struct mount_param {
  const char *key, *value; /* value NULL: a flag */
};

/* A new file system, not attached yet. `attrs`: MOUNT_ATTR_*. Returns the mount's descriptor; err has the kernel's words. */
int mountfd_new(const char *fs, const struct mount_param *params, size_t n, unsigned attrs, struct err *err);
/* Fills err with `step`, `what` and the last message of a file system context (fsopen(2)). Returns -code. */
int mountfd_fail(int context, int code, const char *step, const char *what, struct err *err);

/*
 * A clone of the mount at `dirfd`/`path` ("" for the descriptor itself). Not `recursive` is tried first as asked; where the kernel
 * refuses because mounts below came from outside the user namespace and must not be uncovered (EINVAL), all come along.
 */
int mountfd_clone(int dirfd, const char *path, bool recursive);
/* Sets attributes and, unless 0, propagation (MS_PRIVATE, ...). */
int mountfd_set(int mount, uint64_t attrs, uint64_t propagation, bool recursive);
/* Attaches to the very thing `target` is a descriptor of. */
int mountfd_attach(int mount, int target);
/* Attaches to `name` in the folder `dirfd`, one component, which only we can change. */
int mountfd_attach_at(int mount, int dirfd, const char *name);
