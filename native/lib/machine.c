/* What the machine allows: see machine.h. */
#include "machine.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "rmtree.h"
#include "userns.h"

/* --- user namespace and overlay --- */

/* Opens the folder or its nearest parent that exists. */
static int open_nearest(const char *path) {
  cleanup_free char *copy = strdup(path);
  if (!copy) return -ENOMEM;
  for (;;) {
    int fd = open(*copy ? copy : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char *slash = strrchr(copy, '/');
    if (fd >= 0 || errno != ENOENT || !slash) return fd < 0 ? -errno : fd;
    *slash = 0;
  }
}

static void set(struct machine_result *ret, const char *step, int error) {
  snprintf(ret->text, sizeof ret->text, "%.400s: %s", step, strerror(error));
}

/* As root in a user namespace. What run's driver does in earnest: upper and work beside each other, relative names. */
static void try_overlay(const char *data, struct machine_result *ret) {
  char name[40];
  struct err ignored;
  if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return set(ret, "mount namespace", errno);
  /* Only now: overlay refuses folders that were opened in another mount namespace. */
  cleanup_fd int parent = open_nearest(data);
  if (parent < 0) return set(ret, data, -parent);
  snprintf(name, sizeof name, ".podrt-features-%d", (int)getpid());
  if (mkdirat(parent, name, 0700) < 0) return set(ret, "make a temporary folder", errno);
  cleanup_fd int dir = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const char *step = NULL;
  static const char *const parts[] = {"lower", "upper", "work", "merged"};
  for (size_t i = 0; i < N_ELEMENTS(parts) && !step; i++)
    if (mkdirat(dir, parts[i], 0700) < 0) step = "make a temporary folder";
  if (!step && fchdir(dir) < 0) step = "chdir";
  if (!step && mount("overlay", "merged", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work,userxattr") < 0) step = "mount overlay";
  if (step)
    set(ret, step, errno);
  else
    ret->ok = true;
  if (!step) (void)umount2("merged", MNT_DETACH);
  (void)rmtree_at(parent, name, &ignored);
}

static uint64_t count_ids(const char *path) {
  cleanup_file FILE *f = fopen(path, "re");
  unsigned long inside, outside, count;
  uint64_t sum = 0;
  while (f && fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3) sum += count;
  return sum;
}

static void machine_in_child(const char *data, struct machine_userns *ret) {
  struct err err = {0};
  struct userns_map map;
  int r = userns_make(0, &map, &err);
  if (r < 0) {
    set(&ret->userns, err.what, -r);
    snprintf(ret->overlay.text, sizeof ret->overlay.text, "needs a user namespace");
    return;
  }
  ret->userns.ok = true;
  strcpy(ret->userns.text, map.reason);
  ret->uids = count_ids("/proc/self/uid_map");
  ret->gids = count_ids("/proc/self/gid_map");
  try_overlay(data, &ret->overlay);
}

int machine_userns(const char *data, struct machine_userns *ret, struct err *err) {
  *ret = (struct machine_userns){0};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(err, errno, "pipe", "%s", "");
  cleanup_fd int rd = ends[0];
  cleanup_fd int wr = ends[1];
  pid_t pid = fork();
  if (pid < 0) return err_set(err, errno, "fork", "%s", "");
  if (pid == 0) {
    machine_in_child(data, ret);
    _exit(write_all(wr, ret, sizeof *ret) < 0);
  }
  close(steal_fd(&wr));
  ssize_t n = read(rd, ret, sizeof *ret); /* less than PIPE_BUF: whole, or nothing when the child died */
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
  }
  return n == (ssize_t)sizeof *ret ? 0 : err_set(err, EIO, "user namespace", "the child died");
}

/* --- tools --- */

bool machine_find(const char *name, char *ret, size_t size) {
  const char *path = getenv("PATH");
  cleanup_free char *copy = strdup(path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
  char *save = NULL;
  for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; dir; dir = strtok_r(NULL, ":", &save))
    /* A relative one would be another folder to each caller; podgen's facts leave it out too. */
    if (dir[0] == '/' && snprintf(ret, size, "%s/%s", dir, name) < (int)size && access(ret, X_OK) == 0) return true;
  ret[0] = 0;
  return false;
}

void machine_map_tool(const char *name, struct machine_result *ret, char path[256]) {
  struct stat st;
  char caps[64];
  *ret = (struct machine_result){0};
  if (!machine_find(name, path, 256)) {
    snprintf(ret->text, sizeof ret->text, "not installed (package uidmap)");
    return;
  }
  bool setuid = stat(path, &st) == 0 && (st.st_mode & S_ISUID) && st.st_uid == 0;
  ret->ok = setuid || getxattr(path, "security.capability", caps, sizeof caps) > 0;
  if (!ret->ok) snprintf(ret->text, sizeof ret->text, "neither set-user-id root nor with file capabilities: reinstall the package uidmap");
}

/* --- cgroup, seccomp, kernel --- */

static bool is_cgroup2(const char *path) {
  struct statfs fs;
  return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

void machine_cgroup(const char **ret_layout, struct machine_result *ret) {
  *ret = (struct machine_result){0};
  *ret_layout = is_cgroup2("/sys/fs/cgroup") ? "unified" : is_cgroup2("/sys/fs/cgroup/unified") ? "hybrid" : "legacy";
  if (strcmp(*ret_layout, "unified")) return;
  char path[128];
  const unsigned uid = getuid();
  snprintf(path, sizeof path, "/sys/fs/cgroup/user.slice/user-%u.slice/user@%u.service/cgroup.controllers", uid, uid);
  cleanup_free char *text = NULL;
  if (read_file_at(AT_FDCWD, path, 4096, &text, NULL) < 0) return;
  snprintf(ret->text, sizeof ret->text, "%.*s", (int)strcspn(text, "\n"), text);
  ret->ok = strstr(ret->text, "memory") && strstr(ret->text, "pids");
}

void machine_seccomp(struct machine_result *ret) {
  uint32_t action = SECCOMP_RET_ERRNO;
  *ret = (struct machine_result){.ok = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0};
  if (!ret->ok) set(ret, "seccomp", errno);
}

bool machine_kernel_fits(const char *release) {
  unsigned major = 0, minor = 0;
  return sscanf(release, "%u.%u", &major, &minor) == 2 && (major > 5 || (major == 5 && minor >= 12));
}

void machine_kernel(struct machine_result *ret, char release[80]) {
  struct utsname name;
  *ret = (struct machine_result){0};
  release[0] = 0;
  if (uname(&name) < 0) return set(ret, "uname", errno);
  snprintf(release, 80, "%s", name.release);
  ret->ok = machine_kernel_fits(release);
  if (!ret->ok) snprintf(ret->text, sizeof ret->text, "podrt needs Linux 5.12 or later, for mount_setattr");
}
