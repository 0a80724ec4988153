/* overlay in a user namespace, by the new mount API and by the old: see rootfs.h. */
#include <fcntl.h>
#include <limits.h>

#include "mountfd.h"
#include "rootfs.h"

/* fsconfig(2) takes strings of at most 255 bytes; longer paths go by descriptor. */
enum { FSCONFIG_STRING_MAX = 255 };

/* Opens a layer for a name by descriptor number. */
static int open_folder(const char *path, struct err *err) {
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? err_set(err, errno, "layer", "%s", path) : fd;
}

static int set_folder(int context, const char *key, const char *path, struct err *err) {
  char short_path[32];
  cleanup_fd int fd = -1;
  if (strlen(path) > FSCONFIG_STRING_MAX) {
    fd = open_folder(path, err);
    if (fd < 0) return fd;
    snprintf(short_path, sizeof short_path, "/proc/self/fd/%d", fd);
  }
  return fsconfig(context, FSCONFIG_SET_STRING, key, fd < 0 ? path : short_path, 0) < 0 ? -errno : 0;
}

/* What says that overlay as such does not work here, not that this container's layers are wrong. */
static bool says_unsupported(int code) {
  return code == EPERM || code == EACCES || code == EINVAL || code == ENODEV || code == ENOSYS || code == EOPNOTSUPP;
}

static int attach(int mount, const char *at, struct err *err) {
  return move_mount(mount, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? err_set(err, errno, "overlay", "attach to %s", at) : 0;
}

static int set_upper(int context, const struct bundle_rootfs *fs, struct err *err) {
  cleanup_free char *upper = xformat("%s/upper", fs->upper);
  cleanup_free char *work = xformat("%s/work", fs->upper);
  if (!upper || !work) return err_set(err, ENOMEM, "overlay", "%s", "");
  int r = set_folder(context, "upperdir", upper, err);
  if (r == 0) r = set_folder(context, "workdir", work, err);
  if (r < 0) return mountfd_fail(context, -r, "overlay", fs->upper, err);
  return fsconfig(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0 ? mountfd_fail(context, errno, "overlay", "options", err) : 0;
}

/*
 * `volatile`: no syncing of the upper layer, which no crash may leave behind anyway: each start has a fresh one. It leaves a mark in
 * work/ that makes the next mount fail, hence fresh there too. `userxattr`: marks of overlay's own in user.overlay.*.
 */
static int configure(int context, const struct bundle_rootfs *fs, bool *ret_old_kernel, struct err *err) {
  (void)fsconfig(context, FSCONFIG_SET_STRING, "source", "overlay", 0);
  for (size_t i = fs->n_layers; i-- > 0;) {
    int r = set_folder(context, "lowerdir+", fs->layers[i], err);
    *ret_old_kernel = r == -EINVAL && i == fs->n_layers - 1;
    if (r < 0) return mountfd_fail(context, -r, "overlay", fs->layers[i], err);
  }
  int r = fs->upper ? set_upper(context, fs, err) : 0;
  if (r < 0) return r;
  if (fsconfig(context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0) return mountfd_fail(context, errno, "overlay", "options", err);
  return fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? mountfd_fail(context, errno, "overlay", "mount", err) : 0;
}

/* At `at`; a descriptor of the root. */
static int make(const struct bundle_rootfs *fs, const char *at, bool *ret_old_kernel, struct err *err) {
  *ret_old_kernel = false;
  cleanup_fd int context = fsopen("overlay", FSOPEN_CLOEXEC);
  int r = context < 0 ? err_set(err, errno, "overlay", "%s", "") : configure(context, fs, ret_old_kernel, err);
  if (r < 0) return r;
  cleanup_fd int mount = fsmount(context, FSMOUNT_CLOEXEC, fs->upper ? 0 : MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV);
  if (mount < 0) return mountfd_fail(context, errno, "overlay", "mount", err);
  r = attach(mount, at, err);
  return r < 0 ? r : steal_fd(&mount);
}

int rootfs_overlay(const struct bundle_rootfs *fs, bool *ret_unsupported, struct err *err) {
  bool old_kernel;
  cleanup_free char *merged = xformat("%s/merged", fs->upper);
  if (!merged) return err_set(err, ENOMEM, "overlay", "%s", "");
  int fd = make(fs, merged, &old_kernel, err);
  if (old_kernel) fd = rootfs_overlay_old(fs, err);
  *ret_unsupported = fd < 0 && says_unsupported(-fd);
  return fd;
}

/* --- mount(2) --- */

static void close_all(int *fds, size_t n) {
  for (size_t i = 0; i < n; i++) close(fds[i]);
  free(fds);
}

static int mount_by_numbers(const int *fds, size_t n, int upper, int work, const char *merged, struct err *err) {
  char options[4096]; /* mount(2): one page */
  size_t len = upper < 0 ? (size_t)snprintf(options, sizeof options, "userxattr,lowerdir=")
                         : (size_t)snprintf(options, sizeof options, "userxattr,volatile,upperdir=%d,workdir=%d,lowerdir=", upper, work);
  for (size_t i = n; i-- > 0;) {
    if (len + 12 > sizeof options) return err_set(err, E2BIG, "overlay", "%zu layers", n);
    len += (size_t)snprintf(options + len, sizeof options - len, "%d%s", fds[i], i ? ":" : "");
  }
  /* In this folder a descriptor's number is the shortest path there is. */
  if (chdir("/proc/self/fd") < 0) return err_set(err, errno, "chdir", "/proc/self/fd");
  int r = mount("overlay", merged, "overlay", upper < 0 ? MS_RDONLY | MS_NODEV : 0, options) < 0 ? -errno : 0;
  if (chdir("/") < 0) return err_set(err, errno, "chdir", "/");
  return r < 0 ? err_set(err, -r, "overlay", "mount") : 0;
}

/* With the writable layer that `upper` and `work` are, or -1, -1. */
static int make_old(const struct bundle_rootfs *fs, int upper, int work, const char *at, struct err *err) {
  int *fds = calloc(fs->n_layers, sizeof *fds);
  size_t n = 0;
  int r = 0;
  if (!fds) return err_set(err, ENOMEM, "overlay", "%s", "");
  while (r == 0 && n < fs->n_layers) {
    int fd = open_folder(fs->layers[n], err);
    if (fd < 0)
      r = fd;
    else
      fds[n++] = fd;
  }
  if (r == 0) r = mount_by_numbers(fds, n, upper, work, at, err);
  close_all(fds, n);
  if (r < 0) return r;
  int root = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return root < 0 ? err_set(err, errno, "open", "%s", at) : root;
}

int rootfs_overlay_old(const struct bundle_rootfs *fs, struct err *err) {
  cleanup_free char *merged = xformat("%s/merged", fs->upper);
  cleanup_free char *upper_path = xformat("%s/upper", fs->upper);
  cleanup_free char *work_path = xformat("%s/work", fs->upper);
  if (!merged || !upper_path || !work_path) return err_set(err, ENOMEM, "overlay", "%s", "");
  cleanup_fd int upper = open_folder(upper_path, err);
  if (upper < 0) return upper;
  cleanup_fd int work = open_folder(work_path, err);
  return work < 0 ? work : make_old(fs, upper, work, merged, err);
}

int rootfs_view(const char **layers, size_t n, const char *at, struct err *err) {
  const struct bundle_rootfs fs = {.layers = layers, .n_layers = n};
  bool old_kernel;
  int fd = make(&fs, at, &old_kernel, err);
  return old_kernel ? make_old(&fs, -1, -1, at, err) : fd;
}
