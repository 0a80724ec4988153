/* Long-lived owners of namespaces: see hold.h. */
#include "hold.h"

#include <fcntl.h>
#include <sys/prctl.h>

int hold_exec(char *const argv[], struct err *err) {
  /* By descriptor, so that a podrt that is replaced on disk this moment does not matter. */
  execv("/proc/self/exe", argv);
  return err_set(err, errno, "exec", "/proc/self/exe");
}

int hold_protect(const char *name) {
  if (prctl(PR_SET_DUMPABLE, 0) < 0 || prctl(PR_SET_NAME, name) < 0) return -errno;
  return chdir("/") < 0 ? -errno : 0;
}
