/*
 * The limit: what the container of `runc spec --rootless` costs when nothing is asked, read or decided. A program that has
 * that one configuration built in makes its namespaces, mounts, devices, masks and rights with as few system calls as the kernel allows
 * and executes. podrt's own time is judged against it: test/bench/oci.sh.
 *
 *   limit ROOTFS [COMMAND [WORD…]]      /bin/true when none is given; as a user with one id, who owns ROOTFS
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))
enum { HARD = MS_NOSUID | MS_NODEV | MS_NOEXEC };

static void must(long r, const char *what) {
  if (r >= 0) return;
  fprintf(stderr, "limit: %s: %s\n", what, strerror(errno));
  _exit(125);
}

static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  must(fd, path);
  must(write(fd, text, strlen(text)), path);
  close(fd);
}

/* A map of one id may be written by who is in the namespace already (user_namespaces(7)): nobody needs to wait for somebody. */
static void map_ids(unsigned uid, unsigned gid) {
  char line[32];
  put("/proc/self/setgroups", "deny");
  snprintf(line, sizeof line, "0 %u 1\n", uid);
  put("/proc/self/uid_map", line);
  snprintf(line, sizeof line, "0 %u 1\n", gid);
  put("/proc/self/gid_map", line);
}

static const struct {
  const char *source, *fs, *target, *data;
  unsigned long flags;
  mode_t mkdir;
} mounts[] = {
    {"proc", "proc", "proc", NULL, 0, 0},
    {"tmpfs", "tmpfs", "dev", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME, 0},
    {"devpts", "devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620", MS_NOSUID | MS_NOEXEC, 0755},
    {"shm", "tmpfs", "dev/shm", "mode=1777,size=65536k", HARD, 0755},
    {"mqueue", "mqueue", "dev/mqueue", NULL, HARD, 0755},
};

static void make_mounts(void) {
  for (size_t i = 0; i < N_ELEMENTS(mounts); i++) {
    if (mounts[i].mkdir) must(mkdir(mounts[i].target, mounts[i].mkdir), mounts[i].target);
    must(mount(mounts[i].source, mounts[i].target, mounts[i].fs, mounts[i].flags, mounts[i].data), mounts[i].target);
  }
  /* Without a network namespace sysfs is the host's, bound with all that is below; its /sys/fs/cgroup is what the last mount asks for. */
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
  must(mount("/sys", "sys", NULL, MS_BIND | MS_REC, NULL), "sys");
  must(mount_setattr(AT_FDCWD, "sys", AT_RECURSIVE, &attr, sizeof attr), "sys");
  must(mount("/sys/fs/cgroup", "sys/fs/cgroup", NULL, MS_BIND | MS_REC, NULL), "cgroup");
  must(mount_setattr(AT_FDCWD, "sys/fs/cgroup", AT_RECURSIVE, &attr, sizeof attr), "cgroup");
}

static void make_devices(void) {
  static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
  static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"},       {"/proc/self/fd/0", "dev/stdin"},
                                         {"/proc/self/fd/1", "dev/stdout"}, {"/proc/self/fd/2", "dev/stderr"},
                                         {"pts/ptmx", "dev/ptmx"},          {"/proc/kcore", "dev/core"}};
  for (size_t i = 0; i < N_ELEMENTS(devices); i++) {
    char host[16], target[16];
    snprintf(host, sizeof host, "/dev/%s", devices[i]);
    snprintf(target, sizeof target, "dev/%s", devices[i]);
    must(mknod(target, S_IFREG | 0666, 0), target);
    must(mount(host, target, NULL, MS_BIND, NULL), target);
  }
  for (size_t i = 0; i < N_ELEMENTS(links); i++) must(symlink(links[i][0], links[i][1]), links[i][1]);
}

static void cover(void) {
  static const char *const masked[] = {"acpi",       "asound",      "kcore",       "keys", "latency_stats",
                                       "timer_list", "timer_stats", "sched_debug", "scsi", "../sys/firmware"};
  static const char *const read_only[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
  char path[64];
  for (size_t i = 0; i < N_ELEMENTS(masked); i++) {
    snprintf(path, sizeof path, "/proc/%s", masked[i]);
    if (mount("/dev/null", path, NULL, MS_BIND, NULL) == 0 || errno == ENOENT) continue;
    must(mount("tmpfs", path, "tmpfs", MS_RDONLY | HARD, "nr_inodes=1"), path);
  }
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
  for (size_t i = 0; i < N_ELEMENTS(read_only); i++) {
    snprintf(path, sizeof path, "/proc/%s", read_only[i]);
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0 && errno == ENOENT) continue;
    must(mount_setattr(AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof attr), path);
  }
  must(mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof attr), "root");
}

static void drop_rights(void) {
  static const unsigned keep[] = {CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE};
  unsigned sets[2] = {0, 0};
  for (size_t i = 0; i < N_ELEMENTS(keep); i++) sets[keep[i] / 32] |= 1U << keep[i] % 32;
  for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
    if (!(sets[cap / 32] & 1U << cap % 32)) (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
  must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps");
  must(setresgid(0, 0, 0), "gid");
  must(setresuid(0, 0, 0), "uid");
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  /* crun and runc raise what may be ambient only where it is inheritable: the configuration says nothing of that, so nothing is. */
  for (size_t i = 0; i < 2; i++) data[i] = (struct __user_cap_data_struct){.effective = sets[i], .permitted = sets[i]};
  must(syscall(SYS_capset, &header, data), "capset");
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

static void contain(const char *rootfs, unsigned uid, unsigned gid, char **command) {
  map_ids(uid, gid);
  must(setsid(), "setsid");
  must(sethostname("runc", 4), "hostname");
  must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "propagation");
  must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
  must(chdir(rootfs), rootfs);
  umask(0);
  make_mounts();
  make_devices();
  umask(022);
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "old root");
  must(chdir("/"), "/");
  cover();
  const struct rlimit files = {1024, 1024};
  must(setrlimit(RLIMIT_NOFILE, &files), "rlimit");
  (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.limit");
  drop_rights();
  must(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC), "close_range");
  char *env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};
  must(execve(command[0], command, env), command[0]);
}

int main(int argc, char **argv) {
  static char *just_true[] = {"/bin/true", NULL};
  if (argc < 2) return 64;
  struct clone_args args = {.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS, .exit_signal = SIGCHLD};
  const unsigned uid = getuid(), gid = getgid();
  long pid = syscall(SYS_clone3, &args, sizeof args);
  must(pid, "clone3");
  if (pid == 0) contain(argv[1], uid, gid, argc > 2 ? argv + 2 : just_true);
  int status;
  must(waitpid((pid_t)pid, &status, 0), "wait");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
