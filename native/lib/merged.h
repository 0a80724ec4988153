/* What layers show when one lies on the other, read without a mount: names looked up from the top down, with overlay's whiteouts. */
#pragma once
#include <limits.h>
#include <sys/stat.h>

#include "util.h"

/* One folder of that view: the folders of the layers that make it up, the topmost first. */
struct merged {
  int *fds;
  size_t n;
};

/* The root of the view: layers bottom first, as a bundle has them; `top` (borrowed, or -1) is a folder over all of them. */
int merged_open(const char *const *layers, size_t n, int top, struct merged *ret, struct err *err);
void merged_close(struct merged *m);

/* 1, and what `name` is (never followed); *ret_dir (or NULL) is a folder of it, borrowed. 0 when the view has no such name. -errno. */
int merged_stat(const struct merged *m, const char *name, struct stat *ret, int *ret_dir);
/* The folder `name` of the view. -ENOTDIR, -ENOENT. */
int merged_enter(const struct merged *m, const char *name, struct merged *ret);
/*
 * Where a path leads in the view, as a process with that root would find it: no link, no "." and no ".." is left, nor a slash in front.
 * What is not there stays as it is said. -ELOOP, -ENAMETOOLONG.
 */
int merged_resolve(const struct merged *m, const char *path, char ret[PATH_MAX]);

/* Overlay's marks on disk. */
bool merged_is_whiteout(const struct stat *st);
bool merged_is_opaque(int dir);
