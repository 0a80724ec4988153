/* Extended attributes from an archive: which are kept, and how they get onto a file. */
#pragma once
#include "util.h"

/* A list of attributes that waits until a folder is complete. */
struct xattr {
  struct xattr *next;
  char *name;
  void *value;
  size_t size;
};

/*
 * True when an archive may set this attribute. Not kept: overlay's own (user.overlay.*, trusted.overlay.*), with which a layer
 * could redirect into other folders; the rest of trusted.* and security.selinux, which are the host's to give.
 */
bool xattr_kept(const char *name);
/*
 * Sets one on an open file or folder. security.capability of version 2 becomes the kernel's version 3 for this user namespace by
 * itself (capabilities(7)). -E2BIG and -ENOSPC for values the file system has no room for, -EOPNOTSUPP where it has no such attributes.
 */
int xattr_set(int fd, const char *name, const void *value, size_t size);
/* Sets one on something that cannot be opened (symlink, fifo): by name in its folder, not followed. */
int xattr_set_at(int dirfd, const char *file, const char *name, const void *value, size_t size);
/* True for errors that mean "not here, not for us" and deserve a warning, as in the field's rootless unpackers, not an end. */
bool xattr_may_fail(int code);
/* Puts a copy in front of the list; false when out of memory. */
bool xattr_remember(struct xattr **list, const char *name, const void *value, size_t size);
void xattr_free(struct xattr *list);
/*
 * The names of what `path` (not followed) has and `wanted` takes, in order, in one piece of memory to free(3). The number of them, also 0
 * where the file system has no attributes, or where the thing is gone; -ENOMEM, or what llistxattr(2) gives.
 */
ssize_t xattr_names(const char *path, bool (*wanted)(const char *name), char ***ret);
