/* The end of a container, for delete and for a maker that has failed: see make.h and make_parts.h. */
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "make_parts.h"

enum { KILL_MS = 10 * 1000 };

void oci_end_process(int pidfd) {
  struct pollfd p = {.fd = pidfd, .events = POLLIN};
  if (pidfd < 0) return;
  (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  (void)poll(&p, 1, KILL_MS);
}

int oci_unmake(int root, struct oci_container *c, const struct oci_spec *spec, struct err *err) {
  struct err first;
  cleanup_fd int pidfd = c->proc.pid ? proc_open(&c->proc) : -1;
  oci_end_process(pidfd);
  int r = oci_cgroup_kill(&c->cgroup, SIGKILL, &first);
  if (spec) (void)oci_run_hooks(c, spec, OCI_POSTSTOP, OCI_STOPPED, &first);
  if (r == 0) r = oci_cgroup_remove(&c->cgroup, &first);
  /* No state: its maker was killed, and there may be a cgroup. */
  const bool rootless = geteuid() != 0 || oci_in_userns();
  if (!c->bundle && spec)
    oci_cgroup_remove_remains(&(struct oci_cgroup_wish){.id = c->id, .cgroups_path = spec->cgroups_path, .rootless = rootless});
  if (r < 0) *err = first;
  const int removed = oci_container_remove(root, c, r < 0 ? &first : err);
  return r < 0 ? r : removed;
}
