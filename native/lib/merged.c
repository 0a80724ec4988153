/* A view of layers without a mount: see merged.h. */
#include "merged.h"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { LINKS_MAX = 40 };

bool merged_is_whiteout(const struct stat *st) {
  return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

bool merged_is_opaque(int dir) {
  char value[2];
  return fgetxattr(dir, "user.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

void merged_close(struct merged *m) {
  for (size_t i = 0; i < m->n; i++) close(m->fds[i]);
  free(m->fds);
  *m = (struct merged){0};
}

int merged_open(const char *const *layers, size_t n, int top, struct merged *ret, struct err *err) {
  *ret = (struct merged){.fds = calloc(n + 1, sizeof *ret->fds)};
  if (!ret->fds) return err_set(err, ENOMEM, "layer", "%s", "");
  if (top >= 0 && (ret->fds[ret->n++] = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
    ret->n--;
    merged_close(ret);
    return err_set(err, errno, "open", "the writable layer");
  }
  while (n-- > 0) {
    int fd = open(layers[n], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      int saved = errno;
      merged_close(ret);
      return err_set(err, saved, "layer", "%s", layers[n]);
    }
    ret->fds[ret->n++] = fd;
  }
  return 0;
}

int merged_stat(const struct merged *m, const char *name, struct stat *ret, int *ret_dir) {
  for (size_t i = 0; i < m->n; i++) {
    if (fstatat(m->fds[i], name, ret, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) continue;
      return -errno;
    }
    if (ret_dir) *ret_dir = m->fds[i];
    return merged_is_whiteout(ret) ? 0 : 1;
  }
  return 0;
}

int merged_enter(const struct merged *m, const char *name, struct merged *ret) {
  *ret = (struct merged){.fds = calloc(m->n + 1, sizeof *ret->fds)};
  if (!ret->fds) return -ENOMEM;
  int r = -ENOENT;
  for (size_t i = 0; i < m->n; i++) {
    int fd = openat(m->fds[i], name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) continue;
    /* A whiteout or a file hides what is below; on top it is what the name means. */
    if (fd < 0) {
      if (ret->n == 0) r = errno == ELOOP ? -ENOTDIR : -errno;
      break;
    }
    ret->fds[ret->n++] = fd;
    if (merged_is_opaque(fd)) break;
  }
  if (ret->n) return 0;
  merged_close(ret);
  return r;
}

/* The part of `path` at *p: what it is, in the folder that `done` names. Links are read into `link`. */
static int look(const struct merged *root, const char *done, const char *name, struct stat *st, char link[PATH_MAX]) {
  struct merged at = *root, next;
  bool own = false;
  int r = 0, dir = -1;
  char copy[PATH_MAX], *save = NULL;
  strcpy(copy, done);
  for (char *part = strtok_r(copy, "/", &save); r == 0 && part; part = strtok_r(NULL, "/", &save)) {
    r = merged_enter(&at, part, &next);
    if (own) merged_close(&at);
    own = r == 0;
    if (own) at = next;
  }
  if (r == 0)
    r = merged_stat(&at, name, st, &dir);
  else if (r == -ENOENT || r == -ENOTDIR)
    r = 0;
  if (r == 1 && S_ISLNK(st->st_mode)) {
    ssize_t n = readlinkat(dir, name, link, PATH_MAX - 1);
    if (n < 0)
      r = -errno;
    else
      link[n] = 0;
  }
  if (own) merged_close(&at);
  return r;
}

int merged_resolve(const struct merged *m, const char *path, char ret[PATH_MAX]) {
  char todo[PATH_MAX], link[PATH_MAX], more[2 * PATH_MAX + 2];
  if (strlen(path) >= sizeof todo) return -ENAMETOOLONG;
  strcpy(todo, path);
  ret[0] = 0;
  int links = 0;
  for (char *p = todo; *(p += strspn(p, "/"));) {
    char name[NAME_MAX + 1];
    const size_t len = strcspn(p, "/"), done = strlen(ret);
    if (len > NAME_MAX || done + len + 2 > PATH_MAX) return -ENAMETOOLONG;
    memcpy(name, p, len);
    name[len] = 0;
    p += len;
    if (!strcmp(name, ".")) continue;
    if (!strcmp(name, "..")) {
      char *slash = strrchr(ret, '/');
      *(slash ? slash : ret) = 0;
      continue;
    }
    struct stat st;
    int r = look(m, ret, name, &st, link);
    if (r < 0) return r;
    if (r == 1 && S_ISLNK(st.st_mode)) {
      if (++links > LINKS_MAX) return -ELOOP;
      if (link[0] == '/') ret[0] = 0;
      if (snprintf(more, sizeof more, "%s/%s", link, p) >= PATH_MAX) return -ENAMETOOLONG;
      strcpy(todo, more);
      p = todo;
      continue;
    }
    sprintf(ret + done, "%s%s", done ? "/" : "", name);
  }
  return 0;
}
