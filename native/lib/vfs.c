/*
 * Copies of layers: all into one folder, for machines where no kind of overlay works; and one with other owners, for pods with a user
 * namespace of their own. See rootfs.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "copyattr.h"
#include "copydata.h"
#include "merged.h"
#include "rmtree.h"
#include "rootfs.h"

/* Folders deeper than this are refused: two descriptors each. */
enum { MAX_DEPTH = 200 };

/* A file with several names in its layer, and where its first name was copied to; without a path an empty place of the table. */
struct seen {
  ino_t ino;
  char *path;
};

struct copy {
  int to;                   /* merged/, or the new layer */
  const struct podids *ids; /* NULL: layers are merged; else one stays a layer, with these ids for owners */
  struct seen *seen;        /* by inode; `room_seen` is a power of two, and a half of it stays empty */
  size_t n_seen, room_seen;
  char path[PATH_MAX]; /* of the entry at hand, relative to `to` */
  int depth;
  struct err *err;
};

static int fail(struct copy *c, int code, const char *step) {
  return err_set(c->err, code, step, "%s", c->path);
}

/* The wish for more ids is the spec's to make. */
static int fail_owner(struct copy *c, const struct stat *st) {
  c->path[100] = 0; /* leaves room for the rest */
  err_set(c->err, 0, "owner", "%s belongs to %u:%u, and the pod's user namespace has no such id", c->path, st->st_uid, st->st_gid);
  return -ERANGE;
}

/* --- files with several names: an image may have a million of them --- */

/* The place of an inode, or the empty one where it belongs. */
static struct seen *seen_place(struct seen *table, size_t room, ino_t ino) {
  size_t i = (size_t)((uint64_t)ino * 0x9e3779b97f4a7c15u >> 32) & (room - 1);
  while (table[i].path && table[i].ino != ino) i = (i + 1) & (room - 1);
  return &table[i];
}

static int seen_grow(struct copy *c) {
  size_t room = c->room_seen ? 2 * c->room_seen : 64;
  struct seen *table = calloc(room, sizeof *table);
  if (!table) return -ENOMEM;
  for (size_t i = 0; i < c->room_seen; i++)
    if (c->seen[i].path) *seen_place(table, room, c->seen[i].ino) = c->seen[i];
  free(c->seen);
  c->seen = table;
  c->room_seen = room;
  return 0;
}

static int seen_add(struct copy *c, ino_t ino) {
  int r = 2 * c->n_seen >= c->room_seen ? seen_grow(c) : 0;
  char *path = r == 0 ? strdup(c->path) : NULL;
  if (!path) return -ENOMEM;
  *seen_place(c->seen, c->room_seen, ino) = (struct seen){.ino = ino, .path = path};
  c->n_seen++;
  return 0;
}

static void seen_clear(struct copy *c) {
  for (size_t i = 0; i < c->room_seen; i++) free(c->seen[i].path);
  free(c->seen);
  c->seen = NULL;
  c->n_seen = c->room_seen = 0;
}

/* --- one entry --- */

static int copy_file(struct copy *c, int from_dir, int to_dir, const char *name, const struct stat *st) {
  const struct seen *first = st->st_nlink > 1 && c->n_seen ? seen_place(c->seen, c->room_seen, st->st_ino) : NULL;
  if (first && first->path) return linkat(c->to, first->path, to_dir, name, 0) < 0 ? -errno : 0;
  cleanup_fd int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (from < 0) return -errno;
  cleanup_fd int to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (to < 0) return -errno;
  int r = copy_data(from, to, st->st_size);
  if (r == 0) r = copy_attributes(from, to, st, c->ids);
  return r < 0 || st->st_nlink < 2 ? r : seen_add(c, st->st_ino);
}

/* Symlinks, FIFOs, sockets, whiteouts: what has no content. Other devices cannot be in a layer unpacked in a user namespace. */
static int copy_other(struct copy *c, int from_dir, int to_dir, const char *name, const struct stat *st) {
  if (S_ISLNK(st->st_mode)) {
    char target[PATH_MAX];
    ssize_t n = readlinkat(from_dir, name, target, sizeof target - 1);
    if (n < 0) return -errno;
    target[n] = 0;
    if (symlinkat(target, to_dir, name) < 0) return -errno;
  } else if (mknodat(to_dir, name, (st->st_mode & S_IFMT) | 0600, 0) < 0) {
    return -errno;
  }
  return copy_attributes_at(to_dir, name, st, c->ids);
}

/* --- folders --- */

static int copy_folder(struct copy *c, int from, int to);

static int copy_subfolder(struct copy *c, int from_dir, int to_dir, const char *name, const struct stat *st, bool exists) {
  if (c->depth >= MAX_DEPTH) return fail(c, ELOOP, "copy");
  cleanup_fd int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (from < 0) return fail(c, errno, "open");
  if (exists && !c->ids && merged_is_opaque(from)) {
    int r = rmtree_at(to_dir, name, c->err);
    if (r < 0) return r;
    exists = false;
  }
  if (!exists && mkdirat(to_dir, name, 0700) < 0) return fail(c, errno, "mkdir");
  cleanup_fd int to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (to < 0) return fail(c, errno, "open");
  c->depth++;
  int r = copy_folder(c, from, to);
  c->depth--;
  if (r < 0) return r;
  r = copy_attributes(from, to, st, c->ids);
  if (r == -ERANGE) return fail_owner(c, st);
  return r < 0 ? fail(c, -r, "copy") : 0;
}

static int copy_entry(struct copy *c, int from, int to, const char *name) {
  struct stat st, old;
  if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return fail(c, errno, "stat");
  bool exists = fstatat(to, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
  bool folder = S_ISDIR(st.st_mode);
  if (exists && !(folder && S_ISDIR(old.st_mode))) {
    int r = rmtree_at(to, name, c->err);
    if (r < 0) return r;
    exists = false;
  }
  if (merged_is_whiteout(&st) && !c->ids) return 0;
  if (folder) return copy_subfolder(c, from, to, name, &st, exists);
  int r = S_ISREG(st.st_mode) ? copy_file(c, from, to, name, &st) : copy_other(c, from, to, name, &st);
  if (r == -ERANGE) return fail_owner(c, &st);
  return r < 0 ? fail(c, -r, "copy") : 0;
}

static int copy_folder(struct copy *c, int from, int to) {
  cleanup_fd int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return fail(c, errno, "open");
  (void)steal_fd(&fd);
  size_t len = strlen(c->path);
  int r = 0;
  for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (len + strlen(entry->d_name) + 2 > sizeof c->path) {
      r = fail(c, ENAMETOOLONG, "copy");
      break;
    }
    sprintf(c->path + len, "%s%s", len ? "/" : "", entry->d_name);
    r = copy_entry(c, from, to, entry->d_name);
    if (r == 0) c->path[len] = 0;
  }
  closedir(dir);
  return r;
}

int rootfs_copy_folder(int from, int to, struct err *err) {
  struct copy c = {.to = to, .err = err};
  int r = copy_folder(&c, from, to);
  seen_clear(&c);
  return r;
}

int rootfs_copy(const struct bundle_rootfs *fs, struct err *err) {
  cleanup_free char *merged = xformat("%s/merged", fs->upper);
  if (!merged) return err_set(err, ENOMEM, "copy", "%s", "");
  cleanup_fd int to = open(merged, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (to < 0) return err_set(err, errno, "open", "%s", merged);
  struct copy c = {.to = to, .err = err};
  int r = 0;
  for (size_t i = 0; r == 0 && i < fs->n_layers; i++) {
    cleanup_fd int from = open(fs->layers[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    c.path[0] = 0;
    r = from < 0 || fstat(from, &st) < 0 ? err_set(err, errno, "layer", "%s", fs->layers[i]) : copy_folder(&c, from, to);
    if (r == 0 && (r = copy_attributes(from, to, &st, NULL)) < 0) r = err_set(err, -r, "copy", "%s", fs->layers[i]);
    /* Inode numbers mean something within one layer only. */
    seen_clear(&c);
  }
  return r;
}

int rootfs_shift_layer(const char *layer, int to, const struct podids *ids, struct err *err) {
  struct copy c = {.to = to, .ids = ids, .err = err};
  struct stat st;
  cleanup_fd int from = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (from < 0 || fstat(from, &st) < 0) return err_set(err, errno, "layer", "%s", layer);
  int r = copy_folder(&c, from, to);
  seen_clear(&c);
  if (r < 0) return r;
  r = copy_attributes(from, to, &st, ids);
  return r == -ERANGE ? fail_owner(&c, &st) : r < 0 ? err_set(err, -r, "copy", "%s", layer) : 0;
}
