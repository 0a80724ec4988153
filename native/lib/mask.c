/* Hiding and write-protecting paths: see mask.h. */
#include "mask.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "inroot.h"
#include "mountfd.h"

/*
 * Never the container's own /dev/null: another process of the pod could have put a symlink there for this moment, and what it leads
 * to would be bound over the path, writable (CVE-2025-31133).
 */
int mask_open_device(const char *path, unsigned major_number, unsigned minor_number) {
  cleanup_fd int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0) return -errno;
  return S_ISCHR(st.st_mode) && st.st_rdev == makedev(major_number, minor_number) ? steal_fd(&fd) : -ENODEV;
}

/* The first folder gets a new tmpfs, the others clones of it: all empty, all the same. */
static int mask_folder(int target, int *first, const char *label, struct err *err) {
  if (*first >= 0) {
    cleanup_fd int clone = mountfd_clone(*first, "", false);
    return clone < 0 ? clone : mountfd_attach(clone, target);
  }
  const struct mount_param params[] = {{"nr_inodes", "1"}, {"mode", "0555"}, {"context", label}};
  const unsigned attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  cleanup_fd int fd = mountfd_new("tmpfs", params, label ? 3 : 2, attrs, err);
  if (fd < 0) return fd;
  int r = mountfd_attach(fd, target);
  if (r == 0) *first = steal_fd(&fd);
  return r;
}

static int mask_one(int target, int null, int *folder, const char *label) {
  struct stat st;
  struct err ignored;
  if (fstat(target, &st) < 0) return -errno;
  if (S_ISDIR(st.st_mode)) return mask_folder(target, folder, label, &ignored);
  cleanup_fd int clone = mountfd_clone(null, "", false);
  return clone < 0 ? clone : mountfd_attach(clone, target);
}

/* Paths that cannot be there (part of the way is a file) are as good as absent. */
static bool absent(int code) {
  return code == -ENOENT || code == -ENOTDIR;
}

int mask_paths(int root, const char *const *paths, const char *label, struct err *err) {
  if (!paths || !paths[0]) return 0;
  cleanup_fd int null = mask_open_device("/dev/null", 1, 3);
  if (null < 0) return err_set(err, -null, "mask", "the host's /dev/null is not the null device");
  cleanup_fd int folder = -1;
  for (size_t i = 0; paths[i]; i++) {
    cleanup_fd int target = inroot_open(root, paths[i], O_PATH, INROOT);
    if (absent(target)) continue;
    int r = target < 0 ? target : mask_one(target, null, &folder, label);
    if (r < 0) return err_set(err, -r, "mask", "%s", paths[i]);
  }
  return 0;
}

int mask_read_only(int root, const char *const *paths, struct err *err) {
  for (size_t i = 0; paths && paths[i]; i++) {
    cleanup_fd int target = inroot_open(root, paths[i], O_PATH, INROOT);
    if (absent(target)) continue;
    cleanup_fd int clone = target < 0 ? -1 : mountfd_clone(target, "", true);
    int r = target < 0 ? target : clone < 0 ? clone : mountfd_set(clone, MOUNT_ATTR_RDONLY, MS_PRIVATE, true);
    if (r == 0) r = mountfd_attach(clone, target);
    if (r < 0) return err_set(err, -r, "write-protect", "%s", paths[i]);
  }
  return 0;
}
