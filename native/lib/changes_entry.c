/* Entries of a layer's tar: see changes_walk.h. By descriptor, for what runs in the container may change anything meanwhile. */
#include <fcntl.h>

#include "changes_walk.h"
#include "tarpath.h"

int changes_fail(struct walk *w, int code, const char *step, const char *path) {
  char shown[400];
  tarpath_show(path, shown, sizeof shown);
  return err_set(w->err, code, step, "%s", shown);
}

static void warn(struct walk *w, const char *path, const char *why) {
  char shown[400];
  tarpath_show(path, shown, sizeof shown);
  cleanup_free char *line = xformat("%s: %s", shown, why);
  if (line && w->options->warn) w->options->warn(w->options->warn_arg, line);
}

/* Owner, mode, time and attributes of what is at dir/name, and then the entry. */
static int put_entry(struct walk *w, int dir, const char *name, const struct stat *st, struct tarwrite_entry *e) {
  const int64_t uid = podids_uid(&w->inverse, st->st_uid), gid = podids_gid(&w->inverse, st->st_gid);
  if (uid < 0 || gid < 0) {
    changes_fail(w, 0, "owner", e->path);
    size_t len = strlen(w->err->what);
    snprintf(w->err->what + len, sizeof w->err->what - len, " belongs to %u:%u, which is no id of the pod's", st->st_uid, st->st_gid);
    return -ERANGE;
  }
  struct xattr *xattrs = NULL;
  unsigned dropped = 0;
  int r = changes_xattrs(dir, name, &w->inverse, &xattrs, &dropped);
  if (r < 0) return changes_fail(w, -r, "attribute", e->path);
  if (dropped) warn(w, e->path, "an attribute left out, as no layer can have it");
  e->mode = st->st_mode;
  e->uid = (uint32_t)uid;
  e->gid = (uint32_t)gid;
  e->mtime = st->st_mtim;
  if (e->mtime.tv_sec >= w->options->latest) e->mtime = (struct timespec){.tv_sec = (time_t)w->options->latest};
  e->xattrs = xattrs;
  r = tarwrite_entry(&w->tar, e, w->err);
  xattr_free(xattrs);
  return r;
}

int changes_put_folder(struct walk *w, struct frame *f) {
  if (f->written) return 0;
  int r = f->above ? changes_put_folder(w, f->above) : 0;
  if (r < 0) return r;
  f->written = true;
  cleanup_free char *path = xformat("%s/", *f->path ? f->path : ".");
  struct tarwrite_entry e = {.path = path, .type = '5'};
  return path ? put_entry(w, f->fd, "", &f->st, &e) : changes_fail(w, ENOMEM, "folder", f->path);
}

int changes_put_mark(struct walk *w, struct frame *f, const char *prefix, const char *name) {
  int r = changes_put_folder(w, f);
  cleanup_free char *path = xformat("%s%s%s%s", f->path, *f->path ? "/" : "", prefix, name);
  const struct tarwrite_entry e = {.path = path, .type = '0'};
  if (r < 0) return r;
  return path ? tarwrite_entry(&w->tar, &e, w->err) : changes_fail(w, ENOMEM, "whiteout", f->path);
}

/* The path in the tar of a file seen before, or NULL; else remembers it. */
static int first_name(struct walk *w, const struct stat *st, const char *path, const char **ret) {
  *ret = NULL;
  if (st->st_nlink < 2) return 0;
  for (size_t i = 0; i < w->n_firsts; i++)
    if (w->firsts[i].ino == st->st_ino && w->firsts[i].dev == st->st_dev) {
      *ret = w->firsts[i].path;
      return 0;
    }
  if (w->n_firsts == w->room_firsts) {
    const size_t room = w->room_firsts ? 2 * w->room_firsts : 64;
    struct first *grown = reallocarray(w->firsts, room, sizeof *grown);
    if (!grown) return -ENOMEM;
    w->firsts = grown;
    w->room_firsts = room;
  }
  char *copy = strdup(path);
  if (!copy) return -ENOMEM;
  w->firsts[w->n_firsts++] = (struct first){.dev = st->st_dev, .ino = st->st_ino, .path = copy};
  return 0;
}

static int put_content(struct walk *w, int fd, uint64_t left, const char *path) {
  while (left > 0) {
    ssize_t n = read(fd, w->piece[0], left < PIECE ? (size_t)left : PIECE);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return changes_fail(w, errno, "read", path);
    if (n == 0) return changes_fail(w, ESTALE, "changed while it was read", path);
    int r = tarwrite_data(&w->tar, w->piece[0], (size_t)n, w->err);
    if (r < 0) return r;
    left -= (uint64_t)n;
  }
  return 0;
}

static int put_file(struct walk *w, struct frame *f, const char *name, const char *path) {
  struct stat st;
  /* By what is open, for the name may mean something else by now; O_NONBLOCK in case that is a FIFO. */
  cleanup_fd int fd = openat(f->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : changes_fail(w, errno, "open", path);
  if (fstat(fd, &st) < 0) return changes_fail(w, errno, "stat", path);
  if (!S_ISREG(st.st_mode)) return changes_fail(w, ESTALE, "changed while it was read", path);
  const char *first;
  int r = first_name(w, &st, path, &first);
  if (r < 0) return changes_fail(w, -r, "link", path);
  if ((r = changes_put_folder(w, f)) < 0) return r;
  struct tarwrite_entry e = {.path = path, .link = first, .type = first ? '1' : '0', .size = first ? 0 : (uint64_t)st.st_size};
  r = put_entry(w, f->fd, name, &st, &e);
  return r == 0 && !first ? put_content(w, fd, (uint64_t)st.st_size, path) : r;
}

/* What has no content. */
static int put_other(struct walk *w, struct frame *f, const char *name, const char *path, const struct stat *st) {
  char target[PATH_MAX];
  struct tarwrite_entry e = {.path = path, .type = '6'};
  if (S_ISSOCK(st->st_mode)) return 0; /* nothing but whoever listens on it gives it a meaning */
  if (!S_ISLNK(st->st_mode) && !S_ISFIFO(st->st_mode)) return warn(w, path, "a device, left out"), 0;
  const char *first;
  int r = first_name(w, st, path, &first);
  if (r < 0) return changes_fail(w, -r, "link", path);
  if (first) {
    e.type = '1';
    e.link = first;
  } else if (S_ISLNK(st->st_mode)) {
    ssize_t n = readlinkat(f->fd, name, target, sizeof target - 1);
    if (n < 0) return errno == ENOENT ? 0 : changes_fail(w, errno, "link", path);
    target[n] = 0;
    e.type = '2';
    e.link = target;
  }
  r = changes_put_folder(w, f);
  return r < 0 ? r : put_entry(w, f->fd, name, st, &e);
}

int changes_put(struct walk *w, struct frame *f, const char *name, const char *path, const struct stat *st) {
  return S_ISREG(st->st_mode) ? put_file(w, f, name, path) : put_other(w, f, name, path, st);
}
