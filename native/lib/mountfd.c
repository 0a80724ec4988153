/* Mounts by descriptor: see mountfd.h. Linux 5.12 or later, for mount_setattr(2). */
#include "mountfd.h"

#include <fcntl.h>

int mountfd_fail(int context, int code, const char *step, const char *what, struct err *err) {
  char words[256];
  /* "e overlay: No such ...": severity, space, text; one message per read, fsopen(2). */
  ssize_t n = context < 0 ? -1 : read(context, words, sizeof words - 1);
  if (n <= 2) return err_set(err, code, step, "%s", what);
  words[n] = 0;
  words[strcspn(words, "\n")] = 0;
  return err_set(err, code, step, "%s%s%s", what, *what ? ": " : "", words + 2);
}

int mountfd_new(const char *fs, const struct mount_param *params, size_t n, unsigned attrs, struct err *err) {
  cleanup_fd int context = fsopen(fs, FSOPEN_CLOEXEC);
  if (context < 0) return err_set(err, errno, "mount", "%s", fs);
  /* What df and /proc/mounts show in the first column; not every file system cares. */
  bool named = false;
  for (size_t i = 0; i < n; i++) named = named || !strcmp(params[i].key, "source");
  if (!named) (void)fsconfig(context, FSCONFIG_SET_STRING, "source", fs, 0);
  for (size_t i = 0; i < n; i++) {
    const unsigned command = params[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
    if (fsconfig(context, command, params[i].key, params[i].value, 0) < 0) return mountfd_fail(context, errno, fs, params[i].key, err);
  }
  if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) return mountfd_fail(context, errno, "mount", fs, err);
  int mount = fsmount(context, FSMOUNT_CLOEXEC, attrs);
  return mount < 0 ? mountfd_fail(context, errno, "mount", fs, err) : mount;
}

int mountfd_clone(int dirfd, const char *path, bool recursive) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH);
  int fd = open_tree(dirfd, path, flags | (recursive ? AT_RECURSIVE : 0));
  if (fd < 0 && errno == EINVAL && !recursive) fd = open_tree(dirfd, path, flags | AT_RECURSIVE);
  return fd < 0 ? -errno : fd;
}

int mountfd_set(int mount, uint64_t attrs, uint64_t propagation, bool recursive) {
  struct mount_attr attr = {.attr_set = attrs, .propagation = propagation};
  if (attrs & MOUNT_ATTR__ATIME) attr.attr_clr = MOUNT_ATTR__ATIME; /* a field, not a bit */
  return mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) < 0 ? -errno : 0;
}

int mountfd_attach(int mount, int target) {
  return move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ? -errno : 0;
}

int mountfd_attach_at(int mount, int dirfd, const char *name) {
  return move_mount(mount, "", dirfd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}
