/* What the copying driver's folder has and the image has not: see changes_walk.h. */
#include <fcntl.h>

#include "changes_walk.h"
#include "names.h"

int changes_same_attributes(struct walk *w, int a_dir, const char *a_name, const struct stat *a, int b_dir, const char *b_name,
                            const struct stat *b) {
  if (a->st_mode != b->st_mode || a->st_uid != b->st_uid || a->st_gid != b->st_gid) return 0;
  struct xattr *ax = NULL, *bx = NULL;
  unsigned ignored;
  int r = changes_xattrs(a_dir, a_name, &w->inverse, &ax, &ignored);
  if (r == 0) r = changes_xattrs(b_dir, b_name, &w->inverse, &bx, &ignored);
  if (r == 0) r = changes_same_xattrs(ax, bx);
  xattr_free(ax);
  xattr_free(bx);
  return r;
}

static ssize_t read_whole(int fd, uint8_t *to) {
  size_t len = 0;
  for (ssize_t n; len < PIECE; len += (size_t)n) {
    n = read(fd, to + len, PIECE - len);
    if (n < 0 && errno == EINTR)
      n = 0;
    else if (n <= 0)
      return n < 0 ? -errno : (ssize_t)len;
  }
  return (ssize_t)len;
}

/* Times alone would miss what was given its old time again. */
static int same_content(struct walk *w, int a_dir, int b_dir, const char *name) {
  cleanup_fd int a = openat(a_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  cleanup_fd int b = openat(b_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (a < 0 || b < 0) return -errno;
  for (;;) {
    const ssize_t n = read_whole(a, w->piece[0]), m = read_whole(b, w->piece[1]);
    if (n < 0 || m < 0) return (int)(n < 0 ? n : m);
    if (n != m || memcmp(w->piece[0], w->piece[1], (size_t)n)) return 0;
    if (n < PIECE) return 1;
  }
}

int changes_unchanged(struct walk *w, struct frame *f, const char *name, const struct stat *st) {
  struct stat was;
  int dir, r = merged_stat(&f->below, name, &was, &dir);
  if (r <= 0 || (was.st_mode & S_IFMT) != (st->st_mode & S_IFMT)) return r < 0 ? r : 0;
  if (st->st_mtim.tv_sec != was.st_mtim.tv_sec || st->st_mtim.tv_nsec != was.st_mtim.tv_nsec || st->st_size != was.st_size) return 0;
  r = changes_same_attributes(w, f->fd, name, st, dir, name, &was);
  if (r == 1 && S_ISREG(st->st_mode)) r = same_content(w, f->fd, dir, name);
  if (r == 1 && S_ISLNK(st->st_mode)) {
    char a[PATH_MAX], b[PATH_MAX];
    const ssize_t n = readlinkat(f->fd, name, a, sizeof a), m = readlinkat(dir, name, b, sizeof b);
    r = n >= 0 && n == m && !memcmp(a, b, (size_t)n);
  }
  return r;
}

int changes_put_removed(struct walk *w, struct frame *f) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < f->below.n; i++) {
    struct names names = {0};
    if ((r = names_read(f->below.fds[i], &names)) < 0) return changes_fail(w, -r, "read", f->path);
    for (size_t k = 0; r == 0 && k < names.n; k++) {
      struct stat st;
      int dir;
      cleanup_free char *path = xformat("%s%s%s", f->path, *f->path ? "/" : "", names.name[k]);
      if (!path) r = changes_fail(w, ENOMEM, "compare", f->path);
      /* Once, for the layer that shows it. */
      else if (merged_stat(&f->below, names.name[k], &st, &dir) != 1 || dir != f->below.fds[i] || changes_points_at(&w->points, path))
        r = 0;
      else if (fstatat(f->fd, names.name[k], &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        r = changes_put_mark(w, f, WHITEOUT, names.name[k]);
    }
    names_free(&names);
  }
  return r;
}
