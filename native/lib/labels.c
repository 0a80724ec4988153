/* Labels: see labels.h. */
#include "labels.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "inroot.h"

enum { PROC_MAGIC = 0x9fa0, PROC_ROOT_INODE = 1 };

int labels_write(int root, const char *path, const char *text) {
  struct statfs fs;
  struct stat st;
  cleanup_fd int proc = inroot_open(root, "/proc", O_PATH | O_DIRECTORY, INROOT);
  if (proc < 0) return proc;
  if (fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0 || fs.f_type != PROC_MAGIC || st.st_ino != PROC_ROOT_INODE) return -ENODEV;
  cleanup_fd int fd = inroot_open(proc, path, O_WRONLY, INROOT_BENEATH | RESOLVE_NO_XDEV);
  return fd < 0 ? fd : write_all(fd, text, strlen(text));
}

int labels_apparmor(int root, const char *profile, struct err *err) {
  cleanup_free char *text = xformat("exec %s", profile);
  if (!text) return err_set(err, ENOMEM, "apparmorProfile", "%s", "");
  int r = labels_write(root, "thread-self/attr/apparmor/exec", text);
  if (r == -ENOENT) r = labels_write(root, "thread-self/attr/exec", text);
  return r < 0 ? err_set(err, -r, "apparmorProfile", "%s: is AppArmor enabled, and the profile loaded?", profile) : 0;
}
