/* Where a mount goes to in an OCI container's root: see mounts_plan.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/inroot.h"
#include "mounts_plan.h"

enum { PROC_MAGIC = 0x9fa0, SYSFS_MAGIC_NUMBER = 0x62656572, DEVPTS_MAGIC = 0x1cd1, PROC_ROOT_INODE = 1 };

/* What lxcfs and others may put over files of /proc; anything else there could hide the truth from who relies on it (CVE-2019-16884). */
static const char *const proc_files[] = {"/proc/cpuinfo",
                                         "/proc/diskstats",
                                         "/proc/meminfo",
                                         "/proc/stat",
                                         "/proc/swaps",
                                         "/proc/uptime",
                                         "/proc/loadavg",
                                         "/proc/slabinfo",
                                         "/proc/sys/kernel/ns_last_pid",
                                         "/proc/sys/crypto/fips_enabled"};

static bool is_proc(const struct oci_mounts *m, size_t i) {
  const char *type = m->spec->mounts[i].type;
  /* For a bind its source was looked at, in check_proc. */
  return m->plans[i].bind || (type && !strcmp(type, "proc"));
}

/* The target is in a procfs, whatever the path is called. */
static int check_in_proc(struct oci_mounts *m, size_t i, int target, struct err *err) {
  const char *path = m->plans[i].path;
  struct stat st;
  if (fstat(target, &st) < 0) return err_set(err, errno, "mount", "%s", path);
  if (st.st_ino == PROC_ROOT_INODE && is_proc(m, i)) return 0;
  for (size_t n = 0; n < N_ELEMENTS(proc_files); n++) {
    if (strcmp(path, proc_files[n])) continue;
    struct stat plain;
    cleanup_fd int fd = inroot_open(m->root, path, O_PATH, INROOT | RESOLVE_NO_SYMLINKS);
    if (fd >= 0 && fstat(fd, &plain) == 0 && plain.st_dev == st.st_dev && plain.st_ino == st.st_ino) return 0;
  }
  return err_set(err, 0, "mount", "%s: nothing may be mounted inside /proc", path);
}

static int check(struct oci_mounts *m, size_t i, int target, struct err *err) {
  struct statfs fs;
  if (fstatfs(target, &fs) < 0) return err_set(err, errno, "mount", "%s", m->plans[i].path);
  if (fs.f_type == PROC_MAGIC) return check_in_proc(m, i, target, err);
  if (m->plans[i].target_nofollow && (fs.f_type == SYSFS_MAGIC_NUMBER || fs.f_type == DEVPTS_MAGIC))
    return err_set(err, 0, "mount", "%s: dest-nofollow in a file system of the kernel", m->plans[i].path);
  return 0;
}

/* Whatever is there now, and whether or not a procfs is below: programs ask /proc for the truth. */
static int check_name(const struct oci_mounts *m, size_t i, struct err *err) {
  if (strcmp(m->plans[i].path, "/proc") || is_proc(m, i)) return 0;
  return err_set(err, 0, "mount", "/proc: only proc may be mounted there");
}

int oci_target_open(struct oci_mounts *m, size_t i, bool folder, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  int r = check_name(m, i, err);
  if (r < 0) return r;
  cleanup_fd int fd = plan->target_nofollow ? inroot_open(m->root, plan->path, O_PATH | O_NOFOLLOW, INROOT)
                                            : inroot_make_target(m->root, plan->path, folder);
  if (fd < 0) return err_set(err, -fd, "mount", "%s", plan->path);
  r = check(m, i, fd, err);
  return r < 0 ? r : steal_fd(&fd);
}

int oci_target_attach_to(struct oci_mounts *m, size_t i, int mount, int target, struct err *err) {
  int r = mountfd_attach(mount, target);
  if (r < 0) return err_set(err, -r, "mount", "%s", m->plans[i].path);
  if (strcmp(m->plans[i].path, "/")) return 0;
  /* What covers the root is the root from now on, and nothing is in it. */
  int *const below[] = {&m->dev, &m->proc, &m->devpts};
  for (size_t n = 0; n < N_ELEMENTS(below); n++)
    if (*below[n] >= 0) close(steal_fd(below[n]));
  m->dev_is_hosts = false;
  const int root = fcntl(mount, F_DUPFD_CLOEXEC, 3);
  if (root < 0) return err_set(err, errno, "mount", "/");
  close(m->root);
  m->root = root;
  return 0;
}

/* A folder that is one plain name in a folder which is ours: no path has to be resolved. *ret_name: the name. -1: it is not so. */
static int simple_place(const struct oci_mounts *m, const char *path, const char **ret_name) {
  if (path[1] && !strchr(path + 1, '/')) {
    *ret_name = path + 1;
    return m->root;
  }
  if (m->dev >= 0 && !strncmp(path, "/dev/", 5) && !strchr(path + 5, '/')) {
    *ret_name = path + 5;
    return m->dev;
  }
  return -1;
}

/* -EINVAL where a symlink, which move_mount(2) does not follow, or a file is in the way. */
static int attach_simple(const struct oci_mounts *m, int mount, int at, const char *name) {
  /* The image mostly has what is in its root; a new /dev has nothing. */
  int r = at == m->dev ? -ENOENT : mountfd_attach_at(mount, at, name);
  if (r != -ENOENT) return r;
  if (mkdirat(at, name, 0755) < 0 && errno != EEXIST) return -errno;
  return mountfd_attach_at(mount, at, name);
}

/* `plain`: proc and sysfs go to no other place than the one that is named: with a link there, what is masked later were not what the
 * container gets to see (CVE-2019-19921, CVE-2023-27561). */
static int attach_plain(struct oci_mounts *m, size_t i, int mount, struct err *err) {
  const char *path = m->plans[i].path;
  cleanup_fd int fd = inroot_open(m->root, path, O_PATH | O_DIRECTORY, INROOT | RESOLVE_NO_SYMLINKS);
  if (fd == -ENOENT) {
    /* Made with links followed, but only taken if none was. */
    cleanup_fd int made = inroot_make_target(m->root, path, true);
    fd = inroot_open(m->root, path, O_PATH | O_DIRECTORY, INROOT | RESOLVE_NO_SYMLINKS);
  }
  if (fd == -ELOOP || fd == -ENOTDIR) return err_set(err, 0, "mount", "%s: not a plain folder", path);
  if (fd < 0) return err_set(err, -fd, "mount", "%s", path);
  int r = check(m, i, fd, err);
  return r < 0 ? r : oci_target_attach_to(m, i, mount, fd, err);
}

int oci_target_attach(struct oci_mounts *m, size_t i, int mount, bool folder, bool plain, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  const char *name;
  const int at = folder && !plan->target_nofollow ? simple_place(m, plan->path, &name) : -1;
  int r = check_name(m, i, err);
  if (r < 0) return r;
  if (at >= 0) {
    r = attach_simple(m, mount, at, name);
    if (r == 0) return 0;
    if (r != -EINVAL && r != -ENOTDIR) return err_set(err, -r, "mount", "%s", plan->path);
  }
  if (plain) return attach_plain(m, i, mount, err);
  cleanup_fd int target = oci_target_open(m, i, folder, err);
  return target < 0 ? target : oci_target_attach_to(m, i, mount, target, err);
}
