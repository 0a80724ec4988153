/* A folder that is being filled by names from an untrusted archive: see tree.h. */
#include "tree.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include "rmtree.h"
#include "tarpath.h"

void tree_init(struct tree *tree, int root) {
  tree->root = root;
  tree->parent = -1;
  tree->replaced = false;
}

static void forget(struct tree *tree) {
  if (tree->parent >= 0) close(tree->parent);
  tree->parent = -1;
}

void tree_close(struct tree *tree) {
  forget(tree);
}

int tree_open(const struct tree *tree, const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
                         .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
  int fd = -1;
  /* EAGAIN: somebody renamed something somewhere on the machine while ".." of a symlink was followed (openat2(2)). */
  for (int tries = 0; tries < 1000; tries++) {
    fd = (int)syscall(SYS_openat2, tree->root, *path ? path : ".", &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return fd < 0 ? -errno : fd;
}

/* Splits a path; gives the length of the parent's, 0 for the root. */
static size_t split(const char *path, const char **ret_name) {
  const char *slash = strrchr(path, '/');
  *ret_name = slash ? slash + 1 : path;
  return slash ? (size_t)(slash - path) : 0;
}

static int open_folder(const struct tree *tree, const char *path, size_t len) {
  char copy[PATH_MAX];
  memcpy(copy, path, len);
  copy[len] = 0;
  return tree_open(tree, copy, O_PATH | O_DIRECTORY);
}

int tree_open_parent(const struct tree *tree, const char *path, const char **ret_name) {
  size_t len = split(path, ret_name);
  return open_folder(tree, path, len);
}

static int fail(struct err *err, int code, const char *step, const char *path) {
  char shown[400];
  tarpath_show(path, shown, sizeof shown);
  return err_set(err, -code, step, "%s", shown);
}

/* Makes the parents that are missing, part by part: rare, since archives name folders before what is in them. */
static int make_folders(struct tree *tree, const char *path, size_t len, struct err *err) {
  cleanup_fd int at = tree_open(tree, "", O_PATH | O_DIRECTORY);
  for (size_t end = 0; at >= 0 && end < len; end++) {
    const char *slash = memchr(path + end, '/', len - end);
    char name[NAME_MAX + 1];
    size_t start = end;
    end = slash ? (size_t)(slash - path) : len;
    memcpy(name, path + start, end - start);
    name[end - start] = 0;
    int next = open_folder(tree, path, end);
    struct stat st;
    /* ENOENT: nothing there, or a symlink to nowhere, which mkdirat refuses. ENOTDIR: a whiteout or a file. */
    if (next == -ENOENT || (next == -ENOTDIR && fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode))) {
      int r = next == -ENOENT ? (mkdirat(at, name, 0755) < 0 ? -errno : 0) : tree_mkdir(tree, at, name, 0755, err);
      next = r < 0 ? r : open_folder(tree, path, end);
    }
    if (next < 0) return fail(err, next, "folder", path);
    close(at);
    at = next;
  }
  return at < 0 ? fail(err, at, "folder", path) : steal_fd(&at);
}

int tree_parent(struct tree *tree, const char *path, const char **ret_name, struct err *err) {
  size_t len = split(path, ret_name);
  if (tree->parent >= 0 && !strncmp(tree->path, path, len) && !tree->path[len]) return tree->parent;
  forget(tree);
  int fd = open_folder(tree, path, len);
  if (fd == -ENOENT || fd == -ENOTDIR) {
    fd = make_folders(tree, path, len, err);
    if (fd < 0) return fd;
  }
  if (fd < 0) return fail(err, fd, "folder", path);
  memcpy(tree->path, path, len);
  tree->path[len] = 0;
  return tree->parent = fd;
}

int tree_remove(struct tree *tree, int parent, const char *name, struct err *err) {
  /* What goes may have led to the remembered parent; the descriptor itself stays open, it is in use. */
  tree->path[0] = '/';
  tree->path[1] = 0;
  if (unlinkat(parent, name, 0) == 0) return tree->replaced = true, 0;
  if (errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM) return fail(err, -errno, "replace", name);
  tree->replaced = true;
  return rmtree_at(parent, name, err);
}

int tree_opaque(int parent, const char *name, struct err *err) {
  cleanup_fd int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fsetxattr(fd, "user.overlay.opaque", "y", 1, 0) < 0) return fail(err, -errno, "opaque", name);
  return 0;
}

static bool is_whiteout(const struct stat *st) {
  return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

int tree_mkdir(struct tree *tree, int parent, const char *name, mode_t mode, struct err *err) {
  struct stat st;
  if (mkdirat(parent, name, mode) == 0) return 0;
  if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return fail(err, -errno, "folder", name);
  if (S_ISDIR(st.st_mode)) return 0;
  int r = tree_remove(tree, parent, name, err);
  if (r < 0) return r;
  if (mkdirat(parent, name, mode) < 0) return fail(err, -errno, "folder", name);
  return is_whiteout(&st) ? tree_opaque(parent, name, err) : 0;
}

int tree_whiteout(int parent, const char *name, struct err *err) {
  struct stat st;
  if (mknodat(parent, name, S_IFCHR, 0) == 0) return 0;
  if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return fail(err, -errno, "whiteout", name);
  return S_ISDIR(st.st_mode) ? tree_opaque(parent, name, err) : 0;
}
