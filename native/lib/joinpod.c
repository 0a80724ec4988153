/* Joining a pod's namespaces: see joinpod.h. */
#include "joinpod.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>

#include "deadline.h"
#include "poduserns.h"

enum { PATIENCE_MS = 10 * 1000, COMMAND_MS = 10 * 1000 };

static const struct {
  int flag;
  const char *name;
} kinds[] = {{CLONE_NEWNET, "net"}, {CLONE_NEWIPC, "ipc"},       {CLONE_NEWUTS, "uts"},
             {CLONE_NEWPID, "pid"}, {CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWNS, "mnt"}};

int joinpod_open(int run, const char *join, int *ret_dir, pid_t *ret_pid, struct err *err) {
  const int64_t deadline = clock_ms() + PATIENCE_MS;
  cleanup_fd int dir = run_open_at(run, join, true, err);
  if (dir < 0) return dir;
  cleanup_fd int watch = -1;
  for (;;) {
    struct run_state state;
    int fd = run_state_read(dir, &state, err);
    if (fd == 0) fd = proc_open(&state.id);
    if (fd >= 0) {
      *ret_dir = steal_fd(&dir);
      *ret_pid = state.id.pid;
      return fd;
    }
    /* Not there yet, or its successor is about to write its own: usually it is, and nothing needs to be watched. */
    int r = watch < 0 ? watch = watch_folder(dir) : watch_wait(watch, deadline);
    if (r == -ETIMEDOUT) return err_set(err, ESRCH, "infra", "%s does not run", join);
    if (r < 0 && r != -EINTR) return err_set(err, -r, "infra", "%s", join);
  }
}

/* Those of `flags` in which the process is in another namespace than we. */
static int differing(pid_t pid, int flags, struct err *err) {
  int ret = 0;
  for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
    char path[48];
    struct stat own, its;
    if (!(flags & kinds[i].flag)) continue;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kinds[i].name);
    if (stat(path, &its) < 0) return err_set(err, errno, "namespaces", "%s", path);
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
    if (stat(path, &own) < 0) return err_set(err, errno, "namespaces", "%s", path);
    if (own.st_ino != its.st_ino || own.st_dev != its.st_dev) ret |= kinds[i].flag;
  }
  return ret;
}

static int join_differing(int pidfd, pid_t pid, int flags, struct err *err) {
  int want = differing(pid, flags, err);
  if (want <= 0) return want;
  return setns(pidfd, want) < 0 ? err_set(err, errno, "setns", "pid %d", (int)pid) : 0;
}

int joinpod_enter(int pidfd, pid_t pid, const struct podids *ids, struct err *err) {
  const int all = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  if (ids->own) {
    int r = poduserns_enter_users(pidfd, pid, err);
    if (r == 0) r = poduserns_check(pid, ids, err);
    return r < 0 ? r : join_differing(pidfd, pid, all, err);
  }
  /* Nearly always all are the pod's own, and one call does. The host's would be refused, and then nothing has changed. */
  if (setns(pidfd, CLONE_NEWUSER | all) == 0) return 0;
  if (errno != EPERM) return err_set(err, errno, "setns", "infra");
  if (setns(pidfd, CLONE_NEWUSER) < 0) return err_set(err, errno, "setns", "infra's user namespace");
  return join_differing(pidfd, pid, all, err);
}

/*
 * state.json names the process before its command runs (container.c): until then it is podrt, which nobody may look into. To be called
 * in the container's user namespace.
 */
static int await_command(const struct joinpod_container *c, struct err *err) {
  const int64_t deadline = clock_ms() + COMMAND_MS;
  struct pollfd end = {.fd = c->pidfd, .events = POLLIN};
  char path[48];
  struct stat ignored;
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", (int)c->pid);
  for (unsigned naps = 0; stat(path, &ignored) < 0; nap(&naps)) {
    if (errno != EACCES || clock_ms() > deadline) return err_set(err, errno, "namespaces", "%s", path);
    if (poll(&end, 1, 0) > 0) return err_set(err, ESRCH, "container", "pid %d", (int)c->pid);
  }
  return 0;
}

int joinpod_enter_container(const struct joinpod_container *c, const struct podids *ids, struct err *err) {
  const int all = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  /* Its PID namespace is the user's: made with its file systems (child.c). */
  if (ids->own) {
    int r = poduserns_enter_users(c->infra, c->infra_pid, err);
    if (r == 0) r = await_command(c, err);
    if (r == 0) r = join_differing(c->pidfd, c->pid, all, err);
    return r == 0 ? poduserns_enter_joined(c->infra, err) : r;
  }
  if (setns(c->infra, CLONE_NEWUSER) < 0) return err_set(err, errno, "setns", "the pod's user namespace");
  int r = await_command(c, err);
  return r == 0 ? join_differing(c->pidfd, c->pid, all, err) : r;
}
