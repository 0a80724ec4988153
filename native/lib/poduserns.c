/* A pod's own user namespace: see poduserns.h. */
#include "poduserns.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "caps.h"

/* --- making --- */

static int write_map(pid_t pid, const char *name, const struct podids_map *map) {
  char path[48];
  cleanup_free char *text = podids_text(map);
  if (!text) return -ENOMEM;
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

/* A child that stays behind, where CAP_SETUID over those ids is; it waits for our new namespace. Its exit status is the error. */
static pid_t start_writer(const struct podids *ids, int go, int other_end) {
  const pid_t us = getpid();
  pid_t pid = fork();
  if (pid) return pid < 0 ? -errno : pid;
  char byte;
  /* Else it would wait for itself where we end before it has asked to be told of that. */
  close(other_end);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || read(go, &byte, 1) != 1) _exit(EIO);
  int r = write_map(us, "gid_map", &ids->gids);
  if (r == 0) r = write_map(us, "uid_map", &ids->uids);
  _exit(-r);
}

static int await_writer(pid_t pid) {
  int status;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static int clear_groups(struct err *err) {
  return setgroups(0, NULL) < 0 ? err_set(err, errno, "setgroups", "%s", "") : 0;
}

int poduserns_make(const struct podids *ids, struct err *err) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(err, errno, "pipe", "%s", "");
  cleanup_fd int rd = ends[0];
  cleanup_fd int wr = ends[1];
  pid_t writer = start_writer(ids, rd, wr);
  if (writer < 0) return err_set(err, -writer, "fork", "%s", "");
  int r = unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
  if (r < 0) {
    (void)kill(writer, SIGKILL);
    (void)await_writer(writer);
    return err_set(err, -r, "user namespace", "%s", r == -ENOSPC ? "user.max_user_namespaces is used up" : "the pod's own");
  }
  r = write_all(wr, "g", 1);
  int written = await_writer(writer);
  if (r == 0) r = written;
  if (r < 0)
    return err_set(
        err, -r, "user namespace", "%s",
        r == -EPERM ? "the pod's ids are not all the user's (/etc/subuid, /etc/subgid): podgen apply it again" : "write the pod's id maps");
  return clear_groups(err);
}

int poduserns_join(int ns, struct err *err) {
  if (setns(ns, CLONE_NEWUSER) < 0) return err_set(err, errno, "setns", "the pod's user namespace");
  return clear_groups(err);
}

int poduserns_keep_capabilities(struct err *err) {
  uint64_t all = 0;
  for (unsigned i = 0; i < 64 && prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1; i++) all |= 1ull << i;
  const struct cap_sets sets = {.effective = all, .permitted = all, .inheritable = all, .ambient = all};
  return caps_apply(&sets, err);
}

/* --- the user's, seen from above --- */

static int same(int a, int b) {
  struct stat x, y;
  if (fstat(a, &x) < 0 || fstat(b, &y) < 0) return -errno;
  return x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

int poduserns_open_users(int pidfd, pid_t pid, struct err *err) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
  cleanup_fd int own = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
  cleanup_fd int ns = open(path, O_RDONLY | O_CLOEXEC);
  /* It is that process's if it lives now. */
  if (own < 0 || ns < 0 || syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0) return err_set(err, errno, "namespaces", "%s", path);
  for (;;) {
    cleanup_fd int above = ioctl(ns, NS_GET_PARENT);
    if (above < 0) return err_set(err, errno, "namespaces", "above %s", path);
    int r = same(above, own);
    if (r < 0) return err_set(err, -r, "namespaces", "%s", path);
    if (r) return steal_fd(&ns);
    close(ns);
    ns = steal_fd(&above);
  }
}

static int become_root(struct err *err) {
  int r = clear_groups(err);
  if (r == 0 && setresgid(0, 0, 0) < 0) r = err_set(err, errno, "setresgid", "0");
  if (r == 0 && setresuid(0, 0, 0) < 0) r = err_set(err, errno, "setresuid", "0");
  return r;
}

int poduserns_enter_users(int pidfd, pid_t pid, struct err *err) {
  cleanup_fd int ns = poduserns_open_users(pidfd, pid, err);
  if (ns < 0) return ns;
  if (setns(ns, CLONE_NEWUSER) < 0) return err_set(err, errno, "setns", "the user's namespace");
  return become_root(err);
}

/* The kernel shows the other side as the reader's namespace has it, in the order in which it was written. */
static int check_map(pid_t pid, const char *name, const struct podids_map *map) {
  char path[48];
  cleanup_free char *text = NULL;
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  int r = read_file_at(AT_FDCWD, path, 64 * 1024, &text, NULL);
  if (r < 0) return r;
  const char *p = text;
  for (size_t i = 0; i < map->n; i++) {
    struct podids_range range;
    int end = 0;
    if (sscanf(p, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %n", &range.inside, &range.outside, &range.count, &end) != 3) return -ESTALE;
    if (range.inside != map->range[i].inside || range.outside != map->range[i].outside || range.count != map->range[i].count)
      return -ESTALE;
    p += end;
  }
  return *p ? -ESTALE : 0;
}

int poduserns_check(pid_t pid, const struct podids *ids, struct err *err) {
  int r = check_map(pid, "uid_map", &ids->uids);
  if (r == 0) r = check_map(pid, "gid_map", &ids->gids);
  if (r == -ESTALE) return err_set(err, 0, "user namespace", "infra has other ids than this bundle: it is to be restarted"), -ESTALE;
  return r < 0 ? err_set(err, -r, "user namespace", "pid %d", (int)pid) : 0;
}

/* --- whose the files are --- */

int poduserns_act_as_root(const struct podids *ids, struct err *err) {
  if (!ids->own) return 0;
  const int64_t uid = podids_uid(ids, 0), gid = podids_gid(ids, 0);
  /* Else the change takes CAP_DAC_OVERRIDE and its like away. Going over into the pod's namespace sets these bits back. */
  if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "securebits");
  (void)setfsgid((gid_t)gid);
  (void)setfsuid((uid_t)uid);
  /* They say only what it was before; asked for what cannot be they change nothing. */
  if (setfsuid((uid_t)-1) != uid || setfsgid((gid_t)-1) != gid) return err_set(err, EPERM, "setfsuid", "the pod's root");
  return 0;
}

void poduserns_act_as_user(const struct podids *ids) {
  if (!ids->own) return;
  (void)setfsuid(0);
  (void)setfsgid(0);
}

/* --- over --- */

int poduserns_enter_joined(int infra_pidfd, struct err *err) {
  if (setns(infra_pidfd, CLONE_NEWUSER) < 0) return err_set(err, errno, "setns", "the pod's user namespace");
  /* More capabilities than before, though of another namespace: the kernel has made us what fs.suid_dumpable says. */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "%s", "");
  int r = become_root(err);
  if (r == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) r = err_set(err, errno, "prctl", "%s", "");
  return r;
}

int poduserns_enter(int infra_pidfd, struct err *err) {
  int r = poduserns_enter_joined(infra_pidfd, err);
  if (r < 0) return r;
  /* The mounts come along locked: what podrt has masked or made read-only the container cannot uncover (mount_namespaces(7)). */
  return unshare(CLONE_NEWNS | CLONE_NEWCGROUP) < 0 ? err_set(err, errno, "unshare", "mount and cgroup namespace") : 0;
}
