/* What waits until a layer's last file is in place: see folders.h. */
#include "folders.h"

#include <fcntl.h>

#include "tarpath.h"

int folders_add(struct folders *f, const char *path, ino_t ino, mode_t mode, struct timespec mtime, struct xattr *xattrs) {
  if (f->n == f->room) {
    size_t room = f->room ? f->room * 2 : 64;
    void *more = realloc(f->list, room * sizeof *f->list);
    if (!more) {
      xattr_free(xattrs);
      return -ENOMEM;
    }
    f->list = more;
    f->room = room;
  }
  char *copy = strdup(path);
  if (!copy) {
    xattr_free(xattrs);
    return -ENOMEM;
  }
  f->list[f->n++] = (struct folder){.path = copy, .ino = ino, .mode = mode, .mtime = mtime, .xattrs = xattrs};
  return 0;
}

static int finish(const struct folder *f, int fd, void (*warn)(void *, const char *, const char *, int), void *arg) {
  const struct timespec times[2] = {f->mtime, f->mtime};
  if ((f->mode & (S_ISUID | S_ISGID)) && fchmod(fd, f->mode) < 0) return -errno;
  for (const struct xattr *x = f->xattrs; x; x = x->next) {
    int r = xattr_set(fd, x->name, x->value, x->size);
    if (r < 0 && !xattr_may_fail(r)) return r;
    if (r < 0) warn(arg, f->path, x->name, r);
  }
  return futimens(fd, times) < 0 ? -errno : 0;
}

int folders_finish(const struct folders *folders, const struct tree *tree, void (*warn)(void *, const char *, const char *, int), void *arg,
                   struct err *err) {
  for (size_t i = 0; i < folders->n; i++) {
    const struct folder *f = &folders->list[i];
    cleanup_fd int fd = tree_open(tree, f->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    struct stat st;
    int r = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : 0;
    /* Replaced later in the archive, itself or a parent. */
    if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP || (r == 0 && st.st_ino != f->ino)) continue;
    if (r == 0) r = finish(f, fd, warn, arg);
    if (r < 0) {
      char shown[400];
      tarpath_show(f->path, shown, sizeof shown);
      return err_set(err, -r, "folder", "%s", shown);
    }
  }
  return 0;
}

void folders_free(struct folders *folders) {
  for (size_t i = 0; i < folders->n; i++) {
    free(folders->list[i].path);
    xattr_free(folders->list[i].xattrs);
  }
  free(folders->list);
  *folders = (struct folders){0};
}
