/* The clone of a container's first process: see clone.h. */
#include "clone.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/clone3.h"
#include "ns.h"

#define CLONE_NEWTIME_FLAG 0x00000080

static uint64_t clone_flags(struct oci_init *init, int cgroup) {
  uint64_t flags = oci_ns_new(init->spec) & ~(uint64_t)CLONE_NEWTIME_FLAG;
  init->cgroup_made = cgroup >= 0 && !init->wait_mapped;
  if (!init->cgroup_made) flags &= ~(uint64_t)CLONE_NEWCGROUP;
  return flags;
}

static pid_t clone_now(uint64_t flags, int cgroup, int *ret_pidfd) {
  const struct clone3_args args = {.flags = flags | CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
                                   .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
                                   .exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD,
                                   .cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0};
  return clone3_now(&args);
}

static int clone_error(const struct oci_init *init, int code, struct err *err) {
  const char *why = "";
  if (init->spec->ns[OCI_USER].listed && code == ENOSPC) why = "user.max_user_namespaces is used up or 0";
  if (init->spec->ns[OCI_USER].listed && code == EPERM) why = "the system forbids user namespaces";
  if (!init->spec->ns[OCI_USER].listed && code == EPERM) why = "without a user namespace of its own a container needs root";
  return err_set(err, code, "clone", "%s", why);
}

/* The process in between. */
static void between(struct oci_init *init, uint64_t flags, int cgroup, int sock) __attribute__((noreturn));
static void between(struct oci_init *init, uint64_t flags, int cgroup, int sock) {
  struct oci_report report = {.message = OCI_MAKER_PID};
  int pidfd;
  /* The maker's end: with a copy of it nobody would see the maker go. */
  close(sock);
  int r = oci_ns_join(init->spec, &init->joined, false, &report.err);
  pid_t pid = r < 0 ? -1 : clone_now(flags | CLONE_PARENT, cgroup, &pidfd);
  if (pid == 0) oci_init_main(init);
  if (r == 0 && pid < 0) r = clone_error(init, errno, &report.err);
  report.number = (int)pid;
  report.exit_code = 1;
  if (r < 0) report.message = OCI_FAILED;
  (void)oci_report_send(init->sock, &report, -1);
  _exit(0);
}

static pid_t clone_between(struct oci_init *init, uint64_t flags, int cgroup, int sock, int *ret_pidfd, struct err *err) {
  struct oci_report report;
  int fd, status;
  pid_t helper = fork();
  if (helper == 0) between(init, flags, cgroup, sock);
  if (helper < 0) return err_set(err, errno, "fork", "%s", "");
  int r = oci_report_receive(sock, &report, &fd);
  while (waitpid(helper, &status, 0) < 0 && errno == EINTR) {
  }
  if (r < 0) return err_set(err, -r, "clone", "%s", "the process in between is gone");
  if (report.message != OCI_MAKER_PID) {
    *err = report.err;
    return report.err.code ? -report.err.code : -EINVAL;
  }
  *ret_pidfd = (int)syscall(SYS_pidfd_open, report.number, 0);
  return *ret_pidfd < 0 ? err_set(err, errno, "pidfd", "%d", report.number) : report.number;
}

pid_t oci_clone(struct oci_init *init, int cgroup, int sock, int *ret_pidfd, struct err *err) {
  const uint64_t flags = clone_flags(init, cgroup);
  /* Where no new user namespace comes in between, from the beginning: see protect() in init.c. */
  const bool hidden = !init->spec->ns[OCI_USER].listed || init->spec->ns[OCI_USER].path;
  if (hidden && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "%s", "");
  pid_t pid;
  if (oci_ns_paths(init->spec)) {
    pid = clone_between(init, flags, cgroup, sock, ret_pidfd, err);
  } else {
    pid = clone_now(flags, cgroup, ret_pidfd);
    if (pid == 0) {
      close(sock);
      oci_init_main(init);
    }
    if (pid < 0) pid = clone_error(init, errno, err);
  }
  close(init->sock);
  init->sock = -1;
  return pid;
}
