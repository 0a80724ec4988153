/* Joining a pod's network: see podnet.h. */
#include "podnet.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "proc.h"

int podnet_enter(const char *join, struct err *err) {
  struct run_state state;
  struct stat own, its;
  char path[40];
  cleanup_fd int run = run_open(err);
  cleanup_fd int dir = run < 0 ? -1 : run_open_at(run, join, false, err);
  if (run < 0 || dir < 0) return run < 0 ? run : dir;
  int r = run_state_read(dir, &state, err);
  if (r < 0) return r;
  cleanup_fd int infra = proc_open(&state.id);
  if (infra < 0) return err_set(err, -infra, "infra", "%s", join);
  snprintf(path, sizeof path, "/proc/%d/ns/net", (int)state.id.pid);
  if (stat("/proc/self/ns/net", &own) < 0 || stat(path, &its) < 0) return err_set(err, errno, "namespaces", "%s", join);
  if (own.st_ino == its.st_ino && own.st_dev == its.st_dev) return 0;
  return setns(infra, CLONE_NEWUSER | CLONE_NEWNET) < 0 ? err_set(err, errno, "setns", "%s", join) : 0;
}
