/* PID 1 of a shared PID namespace: see podinit.h. */
#include "podinit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "caps.h"
#include "clone3.h"
#include "mountfd.h"
#include "proc.h"
#include "rootfs.h"
#include "sealed.h"

static const unsigned char program[] = {
#include "gen/pod_init.inc"
};

/* --- the child --- */

static int empty_root(const char *run_dir, struct err *err) {
  static const struct mount_param params[] = {{"mode", "0555"}, {"nr_inodes", "1"}};
  const unsigned attrs = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  cleanup_fd int run = run_open(err);
  cleanup_fd int dir = run < 0 ? run : run_open_at(run, run_dir, false, err);
  if (dir < 0) return dir;
  cleanup_fd int fs = mountfd_new("tmpfs", params, N_ELEMENTS(params), attrs, err);
  if (fs < 0) return fs;
  int r = mountfd_attach(fs, dir);
  return r < 0 ? err_set(err, -r, "init", "its root") : rootfs_pivot(fs, err);
}

static int give_up_rights(struct err *err) {
  static const struct cap_sets none;
  int r = caps_bound(0, err);
  if (r == 0) r = caps_apply(&none, err);
  if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) r = err_set(err, errno, "init", "no_new_privs");
  return r;
}

static void become(const char *run_dir, int self, int ready, struct err *err) __attribute__((noreturn));
static void become(const char *run_dir, int self, int ready, struct err *err) {
  char *argv[] = {"podrt-init", NULL}, *env[] = {NULL};
  sigset_t all;
  sigfillset(&all);
  int r = prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ? err_set(err, errno, "init", "prctl") : 0;
  if (r == 0) r = empty_root(run_dir, err);
  if (r == 0) r = give_up_rights(err);
  if (r == 0) {
    (void)setsid();
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGCHLD, SIG_IGN);
    if (dup2(ready, 0) < 0 || close_range(1, ~0u, CLOSE_RANGE_CLOEXEC) < 0) r = err_set(err, errno, "init", "descriptors");
  }
  if (r == 0) {
    execveat(self, "", argv, env, AT_EMPTY_PATH);
    err_set(err, errno, "init", "exec");
  }
  (void)write_all(ready, err, sizeof *err);
  _exit(125);
}

/* --- infra --- */

/* Nothing is written by one that is ready; one that fails says why. */
static int await(pid_t pid, int ready, struct err *err) {
  struct err its;
  ssize_t n;
  do {
    n = read(ready, &its, sizeof its);
  } while (n < 0 && errno == EINTR);
  if (n == 0 && waitpid(pid, NULL, WNOHANG) == 0) return 0;
  if (n != (ssize_t)sizeof its) return err_set(err, ECHILD, "init", "it has ended at once");
  *err = its;
  return its.code ? -its.code : -EINVAL;
}

static int write_id(const char *run_dir, pid_t pid, struct err *err) {
  struct run_state state = {.id.pid = pid};
  cleanup_free char *rel = xformat("%s/init", run_dir);
  cleanup_fd int run = rel ? run_open(err) : err_set(err, ENOMEM, "init", "%s", "");
  cleanup_fd int dir = run < 0 ? run : run_open_at(run, rel, true, err);
  if (dir < 0) return dir;
  int r = proc_start_time(pid, &state.id.start);
  return r < 0 ? err_set(err, -r, "init", "start time") : run_state_write(dir, &state, err);
}

pid_t podinit_start(const char *run_dir, struct err *err) {
  int ends[2];
  cleanup_fd int self = sealed_program("podrt-init", program, sizeof program, err);
  if (self < 0) return self;
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(err, errno, "pipe", "%s", "");
  cleanup_fd int rd = ends[0];
  const struct clone3_args args = {.flags = CLONE_NEWPID | CLONE_NEWNS, .exit_signal = SIGCHLD};
  pid_t pid = clone3_now(&args);
  if (pid == 0) become(run_dir, self, ends[1], err);
  const int code = errno;
  close(ends[1]);
  if (pid < 0) return err_set(err, code, "clone", "pid namespace");
  int r = await(pid, rd, err);
  if (r == 0) r = write_id(run_dir, pid, err);
  if (r == 0) return pid;
  (void)kill(pid, SIGKILL);
  return r;
}

/* --- containers --- */

int podinit_enter(int infra_dir, struct err *err) {
  struct run_state state;
  cleanup_fd int dir = openat(infra_dir, "init", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int r = dir < 0 ? -errno : run_state_read(dir, &state, err);
  cleanup_fd int init = r < 0 ? r : proc_open(&state.id);
  if (init == -ENOENT || init == -ESRCH) return err_set(err, ESRCH, "infra", "the pod shares no PID namespace");
  if (init < 0) return err_set(err, -init, "infra", "its PID namespace");
  return setns(init, CLONE_NEWPID) < 0 ? err_set(err, errno, "setns", "the pod's PID namespace") : 0;
}
