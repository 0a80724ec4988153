/* Going where a pod is: see join.h. */
#include "join.h"

#include <sched.h>
#include <sys/stat.h>

#include "deadline.h"
#include "proc.h"

/* The pidfd of a living infra; -ESRCH or -ENOENT when there is none now. */
static int try_open(int dir, struct err *err) {
  struct run_state state;
  int r = run_state_read(dir, &state, err);
  if (r < 0) return r;
  r = proc_open(&state.id);
  return r < 0 ? err_set(err, -r, "infra", "pid %d", (int)state.id.pid) : r;
}

int join_folder(const char *run_dir, struct err *err) {
  cleanup_fd int run = run_open(err);
  return run < 0 ? run : run_open_at(run, run_dir, true, err);
}

int join_infra(const char *run_dir, int64_t deadline, struct err *err) {
  cleanup_fd int dir = join_folder(run_dir, err);
  if (dir < 0) return dir;
  cleanup_fd int watch = watch_folder(dir);
  if (watch < 0) return err_set(err, -watch, "inotify", "%s", run_dir);
  cleanup_fd int infra = -1;
  for (;;) {
    infra = try_open(dir, err);
    /* Also what is between two states (setns refused because it just ended) is waited for. */
    if (infra >= 0 && setns(infra, CLONE_NEWUSER | CLONE_NEWNET) == 0) return steal_fd(&infra);
    if (infra >= 0 && errno != ESRCH) return err_set(err, errno, "setns", "%s", run_dir);
    if (infra < 0 && infra != -ENOENT && infra != -ESRCH) return infra;
    if (infra >= 0) close(steal_fd(&infra));
    int r = watch_wait(watch, deadline);
    if (r == -ETIMEDOUT) return err_set(err, ETIMEDOUT, "infra", "%s does not run", run_dir);
    if (r < 0 && r != -EINTR) return err_set(err, -r, "inotify", "%s", run_dir);
  }
}

int join_successor(int dir, struct err *err) {
  struct stat own, its;
  cleanup_fd int infra = try_open(dir, err);
  if (infra == -ENOENT || infra == -ESRCH) return -EAGAIN;
  if (infra < 0) return infra;
  /* Where it is our own namespace this changes nothing; where it is not ours to join, it is another. */
  if (stat("/proc/self/ns/net", &own) < 0) return err_set(err, errno, "namespaces", "own");
  if (setns(infra, CLONE_NEWNET) < 0) return errno == ESRCH ? -EAGAIN : -ESTALE;
  if (stat("/proc/self/ns/net", &its) < 0) return err_set(err, errno, "namespaces", "infra's");
  return own.st_ino == its.st_ino && own.st_dev == its.st_dev ? steal_fd(&infra) : -ESTALE;
}
