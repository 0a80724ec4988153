/* A container's root file system: see rootfs.h. Here: the folders, the bind, the pivot. */
#include "rootfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "inroot.h"
#include "mountfd.h"
#include "rmtree.h"

#define OLD ".old-"

static int move_aside(int folder, const char *name) {
  char aside[80];
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  snprintf(aside, sizeof aside, OLD "%lld.%09ld-%s", (long long)now.tv_sec, now.tv_nsec, name);
  return renameat(folder, name, folder, aside) < 0 && errno != ENOENT ? -errno : 0;
}

static int make_fresh(int folder, const char *name) {
  int r = move_aside(folder, name);
  return r < 0 ? r : mkdirat(folder, name, 0700) < 0 ? -errno : 0;
}

/* Whether a folder holds anything; an absent one does not. */
static bool has_entries(int folder, const char *name) {
  cleanup_fd int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return false;
  (void)steal_fd(&fd);
  int n = 0;
  while (n < 3 && readdir(dir)) n++;
  closedir(dir);
  return n == 3;
}

/* Whether a layer is there. One that is a link lies in podman's store, where podman may have removed it. */
static int look_at_layer(const char *layer, struct stat *ret, struct err *err) {
  char target[PATH_MAX];
  if (stat(layer, ret) == 0) return 0;
  int code = errno;
  ssize_t n = code == ENOENT ? readlink(layer, target, sizeof target - 1) : -1;
  if (n < 0) return err_set(err, code, "layer", "%s", layer);
  target[n] = 0;
  return err_set(err, code, "layer", "podman has removed the image; build or pull it again and apply its pod: %.200s", target);
}

int rootfs_look(const char **layers, size_t n, struct err *err) {
  struct stat st;
  int r = 0;
  for (size_t i = 0; r == 0 && i < n; i++) r = look_at_layer(layers[i], &st, err);
  return r;
}

int rootfs_prepare(const struct bundle_rootfs *fs, struct err *err) {
  struct stat st;
  for (size_t i = 0; i < fs->n_layers; i++) {
    int r = look_at_layer(fs->layers[i], &st, err);
    if (r < 0) return r;
  }
  /* From here on `st` is the topmost layer's. */
  cleanup_fd int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (slash < 0) return err_set(err, errno, "open", "/");
  cleanup_fd int folder = inroot_make_dir(slash, fs->upper, 0700, 0);
  if (folder < 0) return err_set(err, -folder, "open", "%s", fs->upper);
  int r = make_fresh(folder, "upper");
  if (r == 0) r = make_fresh(folder, "work");
  /* Empty, unless the copying driver was the last: then what it left goes, too. Removing it each time would cost as much as a mount. */
  if (r == 0 && has_entries(folder, "merged")) r = move_aside(folder, "merged");
  if (r == 0 && mkdirat(folder, "merged", 0700) < 0 && errno != EEXIST) r = -errno;
  if (r < 0) return err_set(err, -r, "make", "%s: upper, work, merged", fs->upper);
  /* Owners that are not mapped cannot be given; the image then shows root's. */
  if ((st.st_uid || st.st_gid) && fchownat(folder, "upper", st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EINVAL &&
      errno != EPERM)
    return err_set(err, errno, "chown", "%s/upper", fs->upper);
  if (fchmodat(folder, "upper", st.st_mode & 07777, 0) < 0) return err_set(err, errno, "chmod", "%s/upper", fs->upper);
  return steal_fd(&folder);
}

void rootfs_clean(int folder) {
  cleanup_fd int fd = folder < 0 ? -1 : openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return;
  (void)steal_fd(&fd);
  struct err ignored;
  for (struct dirent *entry; (entry = readdir(dir));)
    if (!strncmp(entry->d_name, OLD, sizeof OLD - 1)) (void)rmtree_at(folder, entry->d_name, &ignored);
  closedir(dir);
}

int rootfs_bind(const char *path, struct err *err) {
  cleanup_fd int tree = mountfd_clone(AT_FDCWD, path, true);
  if (tree < 0) return err_set(err, -tree, "bind", "%s", path);
  int r = mountfd_set(tree, 0, MS_PRIVATE, true);
  if (r == 0 && move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0) r = -errno;
  if (r < 0) return err_set(err, -r, "bind", "%s", path);
  int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return root < 0 ? err_set(err, errno, "open", "%s", path) : root;
}

int rootfs_pivot(int root, struct err *err) {
  /*
   * The old root ends up over the new one's "/" and is taken away from there, pivot_root(2): no folder in the image is needed. Nothing
   * has to be made private first: a mount namespace that belongs to another user namespace gets the host's mounts as
   * slaves (mount_namespaces(7)).
   */
  if (fchdir(root) < 0) return err_set(err, errno, "chdir", "the root file system");
  if (syscall(SYS_pivot_root, ".", ".") < 0) return err_set(err, errno, "pivot_root", "%s", "");
  if (umount2(".", MNT_DETACH) < 0) return err_set(err, errno, "umount", "the host's file systems");
  return chdir("/") < 0 ? err_set(err, errno, "chdir", "/") : 0;
}
