/* Folders of one hierarchy of cgroups: see cgroup_tree.h. */
#include "cgroup_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "cgroup_path.h"
#include "cgroup_set.h"
#include "lib/deadline.h"

enum { DEPTH_MAX = 256 };

/* --- making --- */

/* mkdir -p of a path below `mount`. *ret_made: how many folders that were, from the last one up. */
static int make_folders(const char *mount, const char *path, unsigned *ret_made) {
  cleanup_free char *full = xformat("%s%s", mount, path);
  if (!full) return -ENOMEM;
  if (mkdir(full, 0755) == 0) {
    ++*ret_made;
    return 0;
  }
  if (errno != ENOENT || !strcmp(path, "/")) return -errno;
  cleanup_free char *above = cg_path_parent(path);
  int r = above ? make_folders(mount, above, ret_made) : -ENOMEM;
  if (r < 0 && r != -EEXIST) return r;
  if (mkdir(full, 0755) < 0) return -errno;
  ++*ret_made;
  return 0;
}

/* Processes in it, or below: cgroup2 counts both, on v1 one has to look. */
static bool is_populated(const struct cg_hierarchy *h, int dir, unsigned depth) {
  char text[64];
  uint64_t populated;
  if (h->v2 && cg_read_number(dir, "cgroup.events", "populated", &populated)) return populated;
  if (cg_read(dir, "cgroup.procs", text, sizeof text) == 0 && *text) return true;
  int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = fd < 0 ? NULL : fdopendir(fd);
  bool found = false;
  if (!list && fd >= 0) close(fd);
  for (struct dirent *e; list && !found && depth && (e = readdir(list));) {
    if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    cleanup_fd int below = openat(fd, e->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    found = below >= 0 && is_populated(h, below, depth - 1);
  }
  if (list) closedir(list);
  return found;
}

/*
 * There before us, of a container that was killed with its runtime perhaps. With processes in it, it is somebody else's: those who live
 * there would be killed with the container.
 */
static int adopt(const struct cg_hierarchy *h, const char *path, int dir, struct err *err) {
  char text[64];
  int r = cg_read(dir, "cgroup.procs", text, sizeof text);
  if (r < 0 && r != -EOPNOTSUPP) return err_set(err, -r, "cgroup", "%s%s/cgroup.procs", h->mount, path);
  if (is_populated(h, dir, DEPTH_MAX)) return err_set(err, EBUSY, "cgroup", "%s%s has processes already", h->mount, path);
  /* What would be put into a frozen one would never start. */
  if (h->v2 && cg_read(dir, "cgroup.freeze", text, sizeof text) == 0 && *text == '1') (void)cg_write(dir, "cgroup.freeze", "0");
  if (h->controllers & 1u << CG_FREEZER) (void)cg_write(dir, "freezer.state", "THAWED");
  return 0;
}

/* --- cgroup2's controllers --- */

static unsigned available(const char *mount, const char *path) {
  char text[512];
  cleanup_free char *file = xformat("%s%s/cgroup.controllers", mount, path);
  return file && cg_read(AT_FDCWD, file, text, sizeof text) == 0 ? cg_controllers_parse(text, " \n") : 0;
}

static void enable(const char *mount, const char *path, unsigned bits) {
  cleanup_free char *file = xformat("%s%s/cgroup.subtree_control", mount, path);
  char text[256];
  size_t n = 0;
  if (!file) return;
  for (unsigned i = 0; i < CG_CPUACCT; i++)
    if (bits & 1u << i) n += (size_t)snprintf(text + n, sizeof text - n, "%s+%s", n ? " " : "", cg_controller_name(i, true));
  if (!n || cg_write(AT_FDCWD, file, text) == 0) return;
  /* All or nothing: one that cannot be (cpu with real-time processes about, say) takes none of the others with it. */
  for (unsigned i = 0; i < CG_CPUACCT; i++) {
    if (!(bits & 1u << i)) continue;
    snprintf(text, sizeof text, "+%s", cg_controller_name(i, true));
    (void)cg_write(AT_FDCWD, file, text);
  }
}

/*
 * Enables for `path` what the folder above has; further up only where folders are new, or what is needed is missing. What does not work
 * here shows when the limit is written.
 */
static void enable_down(const char *mount, const char *path, unsigned needs, unsigned made) {
  cleanup_free char *above = cg_path_parent(path);
  if (!above || !strcmp(path, "/")) return;
  unsigned there = available(mount, above);
  if (made > 1 || (needs & ~there)) {
    enable_down(mount, above, needs, made ? made - 1 : 0);
    there = available(mount, above);
  }
  /* A new folder has what the one above hands down already. */
  const unsigned missing = there & ~available(mount, path);
  if (missing) enable(mount, above, missing);
}

/* --- v1's cpuset --- */

static int fill_one(const char *mount, const char *path, const char *above, const char *file) {
  char text[4096];
  cleanup_free char *from = xformat("%s%s/%s", mount, above, file), *to = xformat("%s%s/%s", mount, path, file);
  if (!from || !to) return -ENOMEM;
  int r = cg_read(AT_FDCWD, to, text, sizeof text);
  if (r < 0 || (*text && *text != '\n')) return r;
  r = cg_read(AT_FDCWD, from, text, sizeof text);
  if (r == 0 && (!*text || *text == '\n') && strcmp(above, "/")) {
    r = cg_tree_fill_cpuset(mount, above);
    if (r == 0) r = cg_read(AT_FDCWD, from, text, sizeof text);
  }
  return r < 0 ? r : cg_write(AT_FDCWD, to, text);
}

int cg_tree_fill_cpuset(const char *mount, const char *path) {
  cleanup_free char *above = cg_path_parent(path);
  int r = above ? fill_one(mount, path, above, "cpuset.cpus") : -ENOMEM;
  return r == 0 ? fill_one(mount, path, above, "cpuset.mems") : r;
}

int cg_tree_make(const struct cg_hierarchy *h, const char *path, unsigned needs, int *ret_dir, struct err *err) {
  unsigned made = 0;
  int r = make_folders(h->mount, path, &made);
  const bool there = r == -EEXIST;
  cleanup_free char *full = xformat("%s%s", h->mount, path);
  if (r < 0 && !there) return err_set(err, -r, "cgroup", "mkdir %s%s", h->mount, path);
  cleanup_fd int dir = full ? open(full, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  if (dir < 0) return err_set(err, full ? errno : ENOMEM, "cgroup", "%s%s", h->mount, path);
  r = there ? adopt(h, path, dir, err) : 0;
  if (r < 0) return r;
  if (h->v2) enable_down(h->mount, path, needs, made);
  if (made && (h->controllers & 1u << CG_CPUSET)) {
    r = cg_tree_fill_cpuset(h->mount, path);
    if (r < 0) return err_set(err, -r, "cgroup", "%s: CPUs and memory nodes", full);
  }
  *ret_dir = steal_fd(&dir);
  return 0;
}

/* --- removing --- */

static int remove_below(int parent, const char *name, unsigned depth) {
  if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  if (errno != EBUSY && errno != ENOTEMPTY) return -errno;
  if (depth == 0) return -ELOOP;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : -errno;
  DIR *dir = fdopendir(fd);
  if (!dir) {
    close(fd);
    return -ENOMEM;
  }
  int r = 0;
  for (struct dirent *e; (e = readdir(dir));) {
    if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    int one = remove_below(fd, e->d_name, depth - 1);
    if (r == 0) r = one;
  }
  closedir(dir);
  return r == 0 && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : r;
}

int cg_tree_remove(const char *folder, int64_t deadline) {
  unsigned naps = 0;
  int r;
  while ((r = remove_below(AT_FDCWD, folder, DEPTH_MAX)) == -EBUSY && clock_ms() < deadline) nap(&naps);
  return r;
}
