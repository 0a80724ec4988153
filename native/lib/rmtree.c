/* Removing trees: see rmtree.h. */
#include "rmtree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

/* Folders deeper than this are first moved up into the topmost one: any depth in this many descriptors. */
enum { DEPTH = 16 };

struct level {
  DIR *dir;
  char name[NAME_MAX + 1]; /* in the level above */
};

struct removal {
  struct level level[DEPTH];
  int depth;      /* the innermost open level; -1: none */
  bool moved;     /* something was moved into level 0 since it was read from the start */
  unsigned moves; /* names what was moved */
  unsigned errors;
  struct err *err;
};

static void note(struct removal *r, int code, const char *step, const char *name) {
  if (code != ENOENT && r->errors++ == 0) err_set(r->err, code, step, "%s", name); /* ENOENT: somebody else was faster */
}

/* Opens the folder `name` in `dir` as the next level. */
static int enter(struct removal *r, int dir, const char *name) {
  struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                         .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
  cleanup_fd int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
  if (fd < 0) return -errno;
  DIR *d = fdopendir(fd);
  if (!d) return -errno;
  (void)steal_fd(&fd);
  struct level *l = &r->level[++r->depth];
  l->dir = d;
  snprintf(l->name, sizeof l->name, "%s", name);
  return 0;
}

/* A folder found in the innermost level: enters it, or moves it up when the levels are used up. */
static void enter_or_move(struct removal *r, const char *name) {
  int here = dirfd(r->level[r->depth].dir);
  if (r->depth + 1 < DEPTH) {
    int e = enter(r, here, name);
    if (e < 0) note(r, -e, "open", name);
    return;
  }
  for (;;) {
    char temporary[40];
    snprintf(temporary, sizeof temporary, ".podrt-rmtree-%u", r->moves++);
    if (syscall(SYS_renameat2, here, name, dirfd(r->level[0].dir), temporary, 1u /* RENAME_NOREPLACE */) == 0) break;
    if (errno == EEXIST) continue;
    note(r, errno, "rename", name);
    return;
  }
  r->moved = true;
}

static void remove_entry(struct removal *r, const struct dirent *entry) {
  if (entry->d_type != DT_DIR) {
    if (unlinkat(dirfd(r->level[r->depth].dir), entry->d_name, 0) == 0) return;
    if (errno != EISDIR) {
      note(r, errno, "unlink", entry->d_name);
      return;
    }
  }
  enter_or_move(r, entry->d_name);
}

/* The innermost level was read to its end: closes and removes it. */
static void leave(struct removal *r, int outside) {
  struct level *l = &r->level[r->depth];
  if (r->depth == 0 && r->moved) {
    r->moved = false;
    rewinddir(l->dir);
    return;
  }
  closedir(l->dir);
  r->depth--;
  int above = r->depth < 0 ? outside : dirfd(r->level[r->depth].dir);
  /* Not empty because of an error that was noted already: no second one. */
  if (unlinkat(above, l->name, AT_REMOVEDIR) < 0 && !(errno == ENOTEMPTY && r->errors)) note(r, errno, "rmdir", l->name);
}

int rmtree_at(int dir, const char *name, struct err *err) {
  if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > NAME_MAX)
    return err_set(err, EINVAL, "rmtree", "%s", name);
  if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR) return err_set(err, errno, "unlink", "%s", name);
  cleanup_free struct removal *r = calloc(1, sizeof *r);
  if (!r) return err_set(err, ENOMEM, "rmtree", "%s", name);
  *r = (struct removal){.depth = -1, .err = err};
  int e = enter(r, dir, name);
  if (e < 0) return e == -ENOENT ? 0 : err_set(err, -e, "open", "%s", name);
  while (r->depth >= 0) {
    errno = 0;
    struct dirent *entry = readdir(r->level[r->depth].dir);
    if (!entry) {
      if (errno) note(r, errno, "read", r->level[r->depth].name);
      leave(r, dir);
    } else if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) {
      remove_entry(r, entry);
    }
  }
  if (!r->errors) return 0;
  if (r->errors > 1) {
    size_t len = strlen(err->what);
    snprintf(err->what + len, sizeof err->what - len, " (the first of %u errors below %.64s)", r->errors, name);
  }
  return -err->code;
}
