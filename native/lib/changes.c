/*
 * A container's changes as a layer: see changes.h.
 *
 * Overlay's writable layer has nothing but changes: folders, files, whiteouts. The copying driver's folder has everything, and is compared
 * with what the image's layers show. A folder that is in the way of a change only, because podrt made a mount point in it or because it is
 * looked at for comparison, waits: its entry is written when something below it is.
 */
#include "changes.h"

#include <fcntl.h>

#include "changes_walk.h"
#include "names.h"

/* Folders deeper than this are refused: some descriptors each. */
enum { DEPTH_MAX = 200 };

static int walk_folder(struct walk *w, struct frame *f);

/* Whether the entry of a folder may wait for something below it. */
static int may_wait(struct walk *w, const struct frame *f, const char *name, int mounted) {
  if (!w->compare && mounted == 0) return 0;
  struct stat was;
  int dir, r = merged_stat(&f->above->below, name, &was, &dir);
  if (r == 1 && S_ISDIR(was.st_mode)) return changes_same_attributes(w, f->fd, "", &f->st, dir, name, &was);
  /* Made by podrt on its way to a mount point. */
  return mounted && (f->st.st_mode & 07777) == 0755 && podids_uid(&w->inverse, f->st.st_uid) == 0 &&
         podids_gid(&w->inverse, f->st.st_gid) == 0;
}

static bool has_mark(const struct walk *w, int fd) {
  struct stat st;
  if (w->compare) return false;
  return merged_is_opaque(fd) || (w->fuse && fstatat(fd, OPAQUE, &st, AT_SYMLINK_NOFOLLOW) == 0);
}

static int walk_below(struct walk *w, struct frame *above, const char *name, const char *path, int mounted) {
  struct frame f = {.above = above, .path = path};
  if (w->depth >= DEPTH_MAX) return changes_fail(w, ELOOP, "folder", path);
  cleanup_fd int fd = openat(above->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : changes_fail(w, errno, "open", path);
  f.fd = fd;
  if (fstat(fd, &f.st) < 0) return changes_fail(w, errno, "stat", path);
  int r = above->below.n ? merged_enter(&above->below, name, &f.below) : 0;
  if (r < 0 && r != -ENOENT && r != -ENOTDIR) return changes_fail(w, -r, "layer", path);
  /* fuse-overlayfs marks every folder that is made; where there is nothing to hide, the mark says nothing. */
  const bool opaque = f.below.n && has_mark(w, fd);
  if (opaque) merged_close(&f.below);
  r = opaque ? 0 : may_wait(w, &f, name, mounted);
  if (r < 0) changes_fail(w, -r, "attribute", path);
  if (r == 0) r = changes_put_folder(w, &f);
  if (r >= 0 && opaque) r = changes_put_mark(w, &f, "", OPAQUE);
  w->depth++;
  if (r >= 0) r = walk_folder(w, &f);
  w->depth--;
  merged_close(&f.below);
  return r;
}

static int walk_entry(struct walk *w, struct frame *f, const char *name) {
  struct stat st;
  cleanup_free char *path = xformat("%s%s%s", f->path, *f->path ? "/" : "", name);
  if (!path) return changes_fail(w, ENOMEM, "walk", f->path);
  const int mounted = changes_points_at(&w->points, path);
  if (mounted == 2) return 0;
  if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT ? 0 : changes_fail(w, errno, "stat", path);
  if (!strncmp(name, WHITEOUT, sizeof WHITEOUT - 1)) {
    if (!w->fuse) return changes_fail(w, EINVAL, "a name that no layer can have", path);
    return strcmp(name, OPAQUE) && strcmp(name, OPAQUE_TOO) ? changes_put_mark(w, f, "", name) : 0;
  }
  if (merged_is_whiteout(&st) && !w->compare) return changes_put_mark(w, f, WHITEOUT, name);
  if (S_ISDIR(st.st_mode)) return walk_below(w, f, name, path, mounted);
  int r = w->compare ? changes_unchanged(w, f, name, &st) : 0;
  if (r < 0) return changes_fail(w, -r, "compare", path);
  if (r == 1) return 0;
  return changes_put(w, f, name, path, &st);
}

static int walk_folder(struct walk *w, struct frame *f) {
  struct names names = {0};
  int r = names_read(f->fd, &names);
  if (r < 0) return changes_fail(w, -r, "read", f->path);
  for (size_t i = 0; r == 0 && i < names.n; i++) r = walk_entry(w, f, names.name[i]);
  names_free(&names);
  return r == 0 && w->compare ? changes_put_removed(w, f) : r;
}

/* --- all of it --- */

/* merged/ is filled from outside by the copying driver alone; overlay marks its work folder as one that was not synced (`volatile`). */
static int find_driver(struct walk *w, const struct bundle_rootfs *fs, int folder, const char **ret, struct err *err) {
  struct stat st;
  struct names names = {0};
  cleanup_fd int merged = openat(folder, "merged", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int r = merged < 0 ? -errno : names_read(merged, &names);
  if (r == -ENOENT) return err_set(err, ENOENT, "writable layer", "%s", fs->upper);
  if (r < 0) return err_set(err, -r, "writable layer", "%s", fs->upper);
  w->compare = names.n > 0;
  names_free(&names);
  *ret = w->compare ? "merged" : "upper";
  w->fuse = !w->compare && fstatat(folder, "work/work/incompat", &st, AT_SYMLINK_NOFOLLOW) < 0;
  return 0;
}

/* The root's entry is always there: the topmost layer's root is what a container has for "/". Its time is nobody's doing but podrt's. */
static int walk_root(struct walk *w, struct frame *root) {
  struct stat was;
  if (fstat(root->fd, &root->st) < 0) return changes_fail(w, errno, "stat", "/");
  if (root->below.n && fstat(root->below.fds[0], &was) == 0) root->st.st_mtim = was.st_mtim;
  int r = changes_put_folder(w, root);
  if (r == 0) r = walk_folder(w, root);
  return r == 0 ? tarwrite_finish(&w->tar, w->err) : r;
}

static int write_changes(struct walk *w, const struct bundle *b, struct err *err) {
  const struct bundle_rootfs *fs = &b->rootfs;
  struct merged view = {0};
  struct frame root = {.path = ""};
  const char *name = "upper";
  cleanup_fd int folder = open(fs->upper, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return err_set(err, errno, "writable layer", "%s", fs->upper);
  int r = find_driver(w, fs, folder, &name, err);
  if (r < 0) return r;
  cleanup_fd int top = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (top < 0) return err_set(err, errno, "writable layer", "%s/%s", fs->upper, name);
  root.fd = top;
  r = merged_open(fs->layers, w->compare ? 0 : fs->n_layers, top, &view, err);
  if (r == 0) r = changes_points(b, &view, &w->points, err);
  merged_close(&view);
  if (r == 0) r = merged_open(fs->layers, fs->n_layers, -1, &root.below, err);
  if (r == 0) r = walk_root(w, &root);
  merged_close(&root.below);
  return r;
}

int changes_write(const struct bundle *b, const struct changes_options *options, int out, struct err *err) {
  if (!b->has_layers) return err_set(err, EINVAL, "rootfs", "%s", "the bundle has no layers");
  struct walk *w = calloc(1, sizeof *w);
  if (!w) return err_set(err, ENOMEM, "changes", "%s", "");
  w->options = options;
  w->inverse = changes_inverse(&b->ids);
  w->err = err;
  tarwrite_init(&w->tar, out);
  int r = write_changes(w, b, err);
  changes_points_free(&w->points);
  while (w->n_firsts) free(w->firsts[--w->n_firsts].path);
  free(w->firsts);
  free(w);
  return r;
}
