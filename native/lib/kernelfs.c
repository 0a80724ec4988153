/* The kernel's file systems of a container: see kernelfs.h. */
#include "kernelfs.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "hostdev.h"
#include "inroot.h"
#include "mask.h"
#include "mountfd.h"

enum { LOCKED = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

/* A plain folder right below the root, made if it is not there; symlinks are refused. */
static int plain_folder(int root, const char *name, struct err *err) {
  if (mkdirat(root, name, 0755) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", "/%s", name);
  int fd = inroot_open(root, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (fd == -ELOOP || fd == -ENOTDIR) return err_set(err, 0, "mount", "/%s: the image has something else than a folder there", name);
  return fd < 0 ? err_set(err, -fd, "mount", "/%s", name) : fd;
}

/*
 * A fresh proc needs a PID namespace of the pod's; of the host's (hostPID) the one that is there is bound, as it is. It also needs a
 * /proc with nothing covered to be in sight, which is not so in most containers.
 */
static int make_proc(const struct kernelfs *k, struct err *err) {
  cleanup_fd int target = plain_folder(k->root, "proc", err);
  if (target < 0) return target;
  cleanup_fd int proc = mountfd_new("proc", NULL, 0, LOCKED, err);
  int r = 0;
  if (proc == -EPERM && !k->own_pid) {
    proc = mountfd_clone(AT_FDCWD, "/proc", true);
    r = proc < 0 ? err_set(err, -proc, "bind", "/proc") : mountfd_set(proc, LOCKED, MS_PRIVATE, true);
  } else if (proc == -EPERM) {
    return err_set(err, EPERM, "mount", "proc: in a container, podrt needs one with an unmasked /proc");
  }
  if (proc < 0) return proc;
  if (r == 0) r = mountfd_attach(proc, target);
  return r < 0 ? err_set(err, -r, "mount", "/proc") : 0;
}

/* --- /sys --- */

/*
 * The container's root is not the user: it gets the folder and the files with which a cgroup is divided (cgroups(7), delegation). The
 * group stays the user's, whose manager puts processes of `exec` there.
 */
static int give_cgroup(int cgroup, const struct podids *ids) {
  static const char *const names[] = {".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"};
  const uid_t root = (uid_t)podids_uid(ids, 0);
  for (size_t i = 0; i < N_ELEMENTS(names); i++) {
    struct stat st;
    if (fstatat(cgroup, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0) {
      if (errno == ENOENT) continue;
      return -errno;
    }
    if (fchownat(cgroup, names[i], root, (gid_t)-1, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    if (fchmodat(cgroup, names[i], (st.st_mode & 07777) | S_IWGRP, 0) < 0) return -errno;
  }
  return 0;
}

/*
 * The cgroup2 of the container's own cgroup namespace. On a hybrid machine that is the hierarchy without controllers, which is all
 * that may be mounted here. Where even that is refused (no cgroup2 at all) the folder stays empty. What is written there reaches no
 * further than the unit: its cgroup is the root of the namespace, and belongs to the user (Delegate=yes). Its own limits
 * stay out of reach: systemd mounts cgroup2 with nsdelegate (cgroups(7)).
 */
static int make_cgroup(const struct kernelfs *k, int sys, struct err *err) {
  struct err ignored;
  cleanup_fd int target = openat(sys, "fs/cgroup", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (target < 0) return errno == ENOENT ? 0 : err_set(err, errno, "mount", "/sys/fs/cgroup");
  cleanup_fd int cgroup = mountfd_new("cgroup2", NULL, 0, LOCKED | (k->writable_cgroup ? 0 : MOUNT_ATTR_RDONLY), &ignored);
  if (cgroup < 0) {
    static const struct mount_param params[] = {{"mode", "0555"}};
    cgroup = mountfd_new("tmpfs", params, 1, LOCKED | MOUNT_ATTR_RDONLY, err);
  }
  if (cgroup < 0) return cgroup;
  int r = mountfd_attach(cgroup, target);
  if (r == 0 && k->writable_cgroup && k->ids->own) r = give_cgroup(cgroup, k->ids);
  return r < 0 ? err_set(err, -r, "mount", "/sys/fs/cgroup") : 0;
}

/*
 * A fresh sysfs shows the network namespace's devices; the kernel refuses it to whoever does not own that namespace (host network)
 * or has part of it covered (in a container). Then the one that is there is bound, read-only with all that is below.
 */
static int make_sys(const struct kernelfs *k, struct err *err) {
  cleanup_fd int target = plain_folder(k->root, "sys", err);
  if (target < 0) return target;
  const unsigned attrs = LOCKED | (k->privileged ? 0 : MOUNT_ATTR_RDONLY);
  cleanup_fd int sys = mountfd_new("sysfs", NULL, 0, attrs, err);
  int r = 0;
  if (sys == -EPERM) {
    sys = mountfd_clone(AT_FDCWD, "/sys", true);
    if (sys >= 0) r = mountfd_set(sys, attrs, MS_PRIVATE, true);
    if (sys < 0) err_set(err, -sys, "bind", "/sys");
  }
  if (sys < 0) return sys;
  if (r == 0) r = mountfd_attach(sys, target);
  return r < 0 ? err_set(err, -r, "mount", "/sys") : make_cgroup(k, sys, err);
}

/* --- /dev --- */

static const struct {
  const char *name;
  unsigned major, minor;
} devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

static const struct {
  const char *name, *target;
} links[] = {{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
             {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},         {"core", "/proc/kcore"}};

/* mknod(2) makes no devices in a user namespace: the host's are bound. */
static int make_device(int dev, size_t i, struct err *err) {
  char path[32];
  snprintf(path, sizeof path, "/dev/%s", devices[i].name);
  cleanup_fd int host = mask_open_device(path, devices[i].major, devices[i].minor);
  if (host < 0) return err_set(err, -host, "device", "the host's %s", path);
  cleanup_fd int clone = mountfd_clone(host, "", false);
  int r = clone < 0 ? clone : 0;
  if (r == 0 && mknodat(dev, devices[i].name, S_IFREG | 0666, 0) < 0) r = -errno;
  if (r == 0) r = mountfd_attach_at(clone, dev, devices[i].name);
  return r < 0 ? err_set(err, -r, "device", "%s", path) : 0;
}

/* A folder of /dev with a mount on it. */
static int attach_folder(int dev, const char *name, int mount, struct err *err) {
  int r = mkdirat(dev, name, 0755) < 0 ? -errno : mountfd_attach_at(mount, dev, name);
  return r < 0 ? err_set(err, -r, "mount", "/dev/%s", name) : 0;
}

static int make_devpts(struct kernelfs *k, int dev, struct err *err) {
  /* Group 5 is tty, so that write(1) and the like reach terminals; it cannot be named where one id is mapped. */
  char gid[16];
  snprintf(gid, sizeof gid, "%lld", (long long)podids_gid(k->ids, 5));
  const struct mount_param params[] = {{"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", gid}};
  const unsigned attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
  int fd = mountfd_new("devpts", params, 3, attrs, err);
  if (fd == -EINVAL) fd = mountfd_new("devpts", params, 2, attrs, err);
  if (fd < 0) return fd;
  k->devpts = fd;
  return attach_folder(dev, "pts", fd, err);
}

/* The pod's /dev/shm, which is on infra's folder by now (memoryfs.h): its containers share IPC. Without one (no infra of ours) a private
 * one. */
static int make_shm(const struct kernelfs *k, int dev, struct err *err) {
  cleanup_fd int shm = k->host_ipc        ? mountfd_clone(AT_FDCWD, "/dev/shm", true)
                       : k->infra_dir < 0 ? -ENOENT
                                          : mountfd_clone(k->infra_dir, "shm", true);
  int r = shm < 0 ? 0 : mountfd_set(shm, LOCKED, MS_PRIVATE, true);
  if (shm == -ENOENT) {
    static const struct mount_param params[] = {{"mode", "1777"}, {"size", "64m"}};
    shm = mountfd_new("tmpfs", params, N_ELEMENTS(params), LOCKED, err);
    if (shm < 0) return shm;
  }
  if (shm < 0 || r < 0) return err_set(err, shm < 0 ? -shm : -r, "bind", "%s", k->host_ipc ? "/dev/shm" : "infra's shm");
  return attach_folder(dev, "shm", shm, err);
}

/* Queues of the IPC namespace; refused to us where that is the host's. The file system has been there since infra made that namespace. */
static int make_mqueue(const struct kernelfs *k, int dev, struct err *err) {
  cleanup_fd int fd = k->host_ipc ? mountfd_clone(AT_FDCWD, "/dev/mqueue", true) : mountfd_new("mqueue", NULL, 0, LOCKED, err);
  if (k->host_ipc) {
    int r = fd < 0 ? 0 : mountfd_set(fd, LOCKED, MS_PRIVATE, true);
    if (r < 0) return err_set(err, -r, "bind", "/dev/mqueue");
    return fd < 0 ? 0 : attach_folder(dev, "mqueue", fd, err); /* not every host has it mounted */
  }
  if (fd == -EPERM || fd == -ENODEV) return 0;
  if (fd < 0) return fd;
  if (k->ids->own && fchownat(fd, "", (uid_t)podids_uid(k->ids, 0), (gid_t)podids_gid(k->ids, 0), AT_EMPTY_PATH) < 0)
    return err_set(err, errno, "chown", "/dev/mqueue");
  return attach_folder(dev, "mqueue", fd, err);
}

static int make_dev(struct kernelfs *k, struct err *err) {
  static const struct mount_param params[] = {{"mode", "0755"}, {"size", "64k"}};
  cleanup_fd int target = plain_folder(k->root, "dev", err);
  if (target < 0) return target;
  cleanup_fd int dev =
      mountfd_new("tmpfs", params, N_ELEMENTS(params), MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME, err);
  if (dev < 0) return dev;
  int r = mountfd_attach(dev, target);
  if (r < 0) return err_set(err, -r, "mount", "/dev");
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(devices); i++) r = make_device(dev, i, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(links); i++)
    if (symlinkat(links[i].target, dev, links[i].name) < 0) r = err_set(err, errno, "link", "/dev/%s", links[i].name);
  if (r == 0) r = make_devpts(k, dev, err);
  if (r == 0) r = make_shm(k, dev, err);
  if (r == 0) r = make_mqueue(k, dev, err);
  return r == 0 && k->privileged ? hostdev_bind_all(dev, err) : r;
}

int kernelfs_make(struct kernelfs *k, struct err *err) {
  k->devpts = -1;
  int r = make_proc(k, err);
  if (r == 0) r = make_sys(k, err);
  return r == 0 ? make_dev(k, err) : r;
}

/* --- terminals --- */

int kernelfs_terminal(int devpts, uint32_t uid, int *ret_master, int *ret_slave, struct err *err) {
  cleanup_fd int master = openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
  int unlocked = 0;
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0) return err_set(err, errno, "terminal", "master");
  /* By descriptor: the slave's name could lead anywhere. */
  cleanup_fd int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) return err_set(err, errno, "terminal", "slave");
  if (fchown(slave, uid, (gid_t)-1) < 0)
    return err_set(err, errno, "user", "%u%s", uid, errno == EINVAL ? " is not mapped in the user namespace (/etc/subuid)" : ": terminal");
  *ret_master = steal_fd(&master);
  *ret_slave = steal_fd(&slave);
  return 0;
}

int kernelfs_console(const struct kernelfs *k, int slave, struct err *err) {
  cleanup_fd int dev = inroot_open(k->root, "dev", O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  cleanup_fd int clone = mountfd_clone(slave, "", false);
  int r = dev < 0 ? dev : clone < 0 ? clone : 0;
  if (r == 0 && mknodat(dev, "console", S_IFREG | 0600, 0) < 0) r = -errno;
  if (r == 0) r = mountfd_attach_at(clone, dev, "console");
  return r < 0 ? err_set(err, -r, "terminal", "/dev/console") : 0;
}
