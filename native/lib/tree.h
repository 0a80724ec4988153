/* A folder that is being filled by names from an untrusted archive; nothing outside it can be reached. */
#pragma once
#include <limits.h>
#include <sys/stat.h>

#include "util.h"

/*
 * Parents of names are resolved by openat2(2) with RESOLVE_IN_ROOT: a symlink the archive made is followed as it would be
 * in the container, with this folder as "/", which is what the field's unpackers get from chroot. The last part of a name is
 * never followed. RESOLVE_NO_MAGICLINKS and RESOLVE_NO_XDEV: no /proc and no other mount can be in a fresh folder.
 */
struct tree {
  int root;            /* O_PATH or not; borrowed */
  int parent;          /* the last name's parent folder, or -1 */
  char path[PATH_MAX]; /* its path */
  bool replaced;       /* something that an earlier entry made is gone */
};

void tree_init(struct tree *tree, int root);
void tree_close(struct tree *tree);

/*
 * The parent folder of a cleaned name (tarpath.h; not ""), made with 0755 where it is missing. Borrowed until the next call. *ret_name
 * is the last part. A whiteout in the way becomes an opaque folder. -ENOTDIR for a file in the way, -EEXIST for a symlink to nowhere.
 */
int tree_parent(struct tree *tree, const char *path, const char **ret_name, struct err *err);
/* openat2 below the root; "" is the root itself. The last part is followed unless `flags` has O_NOFOLLOW. New descriptor. */
int tree_open(const struct tree *tree, const char *path, int flags);
/* Opens the parent of an existing name, O_PATH; nothing is made. New descriptor. */
int tree_open_parent(const struct tree *tree, const char *path, const char **ret_name);

/* Removes whatever is at `name` in a folder of the tree, with all that is below; 0 when there is nothing. */
int tree_remove(struct tree *tree, int parent, const char *name, struct err *err);
/* Makes a folder at `name`, or keeps the one there. Other things are replaced; a whiteout's folder is made opaque. */
int tree_mkdir(struct tree *tree, int parent, const char *name, mode_t mode, struct err *err);
/*
 * Hides `name` of the layers below: a character device 0:0, overlay's whiteout, which a user namespace may make since Linux 5.8.
 * What this same layer has there stays (image-spec layer.md: whiteouts apply to lower layers only); a folder is made opaque.
 */
int tree_whiteout(int parent, const char *name, struct err *err);
/* Hides what layers below have in the folder `name` of `parent`: user.overlay.opaque=y, for overlay's option userxattr. */
int tree_opaque(int parent, const char *name, struct err *err);
