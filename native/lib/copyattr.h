/* What a copy of a file has beside its content: owner, mode, extended attributes, times. */
#pragma once
#include <sys/stat.h>

#include "podids.h"
#include "util.h"

/*
 * Owner, then mode (a chown takes set-user-ID away), attributes (capabilities go with a chown too), times, from one open file to another.
 * `ids`: the owner, and the owners that ACLs name, are the pod's ids of that number; overlay's own marks are kept, and an attribute that
 * cannot be is an error. NULL: as they are, without those marks, as far as the file system can. -ERANGE: the pod has no such id.
 */
int copy_attributes(int from, int to, const struct stat *st, const struct podids *ids);

/* Owner, mode and times of what cannot be opened (a symlink, a FIFO), by name. */
int copy_attributes_at(int dir, const char *name, const struct stat *st, const struct podids *ids);

/*
 * A POSIX ACL as system.posix_acl_access and _default have it (linux/posix_acl_xattr.h: a version, then tag, rights and id of each
 * entry, little-endian), changed in place. -ERANGE: an id that the pod has not; -EINVAL: it is none.
 */
int copy_shift_acl(void *value, size_t size, const struct podids *ids);
