/* What waits until a layer's last file is in place: times, attributes and special mode bits of folders. */
#pragma once
#include <sys/stat.h>

#include "tree.h"
#include "xattr.h"

struct folder {
  char *path;
  ino_t ino; /* the folder may be replaced meanwhile; then this is void */
  mode_t mode;
  struct timespec mtime;
  struct xattr *xattrs;
};

struct folders {
  struct folder *list;
  size_t n, room;
};

/* Remembers a folder; takes `xattrs`, also when it fails (-ENOMEM). */
int folders_add(struct folders *folders, const char *path, ino_t ino, mode_t mode, struct timespec mtime, struct xattr *xattrs);
/*
 * Sets all, in the archive's order, so that what came last holds. Set-user-ID and set-group-ID come this late because a set-group-ID
 * folder gives its group to what is made in it, a default ACL likewise. `warn` is told of attributes the file system refuses.
 */
int folders_finish(const struct folders *folders, const struct tree *tree,
                   void (*warn)(void *, const char *path, const char *xattr, int code), void *arg, struct err *err);
void folders_free(struct folders *folders);
