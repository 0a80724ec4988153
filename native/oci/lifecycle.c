/* podrt start, kill and delete, as OCI engines call them. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "lib/deadline.h"
#include "lib/signals.h"
#include "make.h"
#include "verbs.h"

enum { LOCK_MS = 10 * 1000 };

/* --- start --- */

static int connect_start(const struct oci_container *c, struct err *err) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/" OCI_START_SOCKET, c->dir);
  cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) return err_set(err, errno, "start", "container \"%s\"", c->id);
  return steal_fd(&fd);
}

static int start(const struct oci_container *c, const struct oci_spec *spec, struct err *err) {
  const enum oci_status status = oci_container_status(c);
  if (status != OCI_CREATED) return err_set(err, 0, "start", "container \"%s\" is %s, not created", c->id, oci_status_name(status));
  if (!spec->has_process || !spec->process.args) return err_set(err, 0, "start", "container \"%s\": process.args is not set", c->id);
  cleanup_fd int sock = connect_start(c, err);
  if (sock < 0) return sock;
  /* First the name, so that it is never started twice; if we are killed now, its init sees us go and ends. */
  if (unlinkat(c->dir, OCI_START_SOCKET, 0) < 0) return err_set(err, errno, "start", "%s", OCI_START_SOCKET);
  struct oci_report report = {.message = OCI_GO};
  int fd;
  int r = oci_report_send(sock, &report, -1);
  if (r < 0) return err_set(err, -r, "start", "container \"%s\"", c->id);
  if (oci_report_receive(sock, &report, &fd) == 0 && report.message == OCI_FAILED) {
    *err = report.err;
    return report.err.code ? -report.err.code : -EINVAL;
  }
  struct err ignored;
  (void)oci_run_hooks(c, spec, OCI_POSTSTART, OCI_RUNNING, &ignored);
  return 0;
}

int oci_start(const struct oci_global *g, int argc, char **argv) {
  struct oci_container c = {.dir = -1};
  struct oci_spec spec = {0};
  struct err err;
  if (argc != 2) {
    err_set(&err, 0, "usage", "podrt start ID");
    return oci_fail(g, &err);
  }
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[1], &c, &err);
  if (r == 0 && oci_container_lock(&c) < 0) r = err_set(&err, 0, "start", "container \"%s\": another podrt is at work on it", c.id);
  if (r == 0) r = oci_container_reload(root, &c, &err);
  if (r == 0) r = oci_container_spec(&c, &spec, &err);
  if (r == 0) r = start(&c, &spec, &err);
  if (r < 0) oci_fail(g, &err);
  oci_spec_free(&spec);
  oci_container_free(&c);
  return r < 0;
}

/* --- kill --- */

static int kill_init(const struct oci_container *c, int number, struct err *err) {
  const enum oci_status status = oci_container_status(c);
  if (status == OCI_STOPPED || status == OCI_CREATING)
    return err_set(err, 0, "kill", "container \"%s\" is %s: container not running", c->id, oci_status_name(status));
  cleanup_fd int pidfd = proc_open(&c->proc);
  if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) < 0)
    return err_set(err, pidfd < 0 ? -pidfd : errno, "kill", "container \"%s\"", c->id);
  /* v1's freezer holds even those that are killed. */
  struct err ignored;
  if (status == OCI_PAUSED && number == SIGKILL) (void)oci_cgroup_freeze(&c->cgroup, false, &ignored);
  return 0;
}

/* In a PID namespace that is not the container's own, the end of its first process is not everybody's. */
static bool shares_pids(const struct oci_container *c) {
  struct oci_spec spec;
  struct err ignored;
  if (oci_container_spec(c, &spec, &ignored) < 0) return false;
  const bool shared = !spec.ns[OCI_PID].listed || spec.ns[OCI_PID].path;
  oci_spec_free(&spec);
  return shared;
}

int oci_kill(const struct oci_global *g, int argc, char **argv) {
  struct oci_container c = {.dir = -1};
  struct err err;
  bool all = false;
  const struct oci_option table[] = {{"all", 'a', OCI_FLAG, &all}};
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), &err);
  if (i >= 0 && (i >= argc || argc > i + 2)) i = err_set(&err, 0, "usage", "podrt kill [--all] ID [SIGNAL]");
  int number = i < 0 ? i : argc == i + 2 ? signals_number(argv[i + 1]) : SIGTERM;
  if (i >= 0 && number < 0) i = err_set(&err, 0, "kill", "unknown signal %s", argv[i + 1]);
  if (i < 0) return oci_fail(g, &err);
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[i], &c, &err);
  if (r == 0 && all)
    r = oci_cgroup_kill(&c.cgroup, number, &err);
  else if (r == 0)
    r = kill_init(&c, number, &err);
  if (r == 0 && !all && number == SIGKILL && shares_pids(&c)) r = oci_cgroup_kill(&c.cgroup, SIGKILL, &err);
  if (r < 0) oci_fail(g, &err);
  oci_container_free(&c);
  return r < 0;
}

/* --- delete --- */

/* Somebody who is just making or starting it may take a moment; one who hangs is not waited for by --force. */
static int lock(struct oci_container *c, bool force, struct err *err) {
  const int64_t deadline = clock_ms() + LOCK_MS;
  unsigned naps = 0;
  while (oci_container_lock(c) < 0) {
    if (clock_ms() > deadline) return force ? 0 : err_set(err, 0, "delete", "container \"%s\": another podrt is at work on it", c->id);
    nap(&naps);
  }
  return 0;
}

static int delete (int root, struct oci_container *c, bool force, struct err *err) {
  struct oci_spec spec;
  struct err ignored;
  int r = lock(c, force, err);
  /* What was read may be older than what the lock's last holder has done: made it, say. */
  if (r == 0) r = oci_container_reload(root, c, err);
  if (r < 0) return r;
  const enum oci_status status = oci_container_status(c);
  if (status != OCI_STOPPED && !force)
    return err_set(err, 0, "delete", "container \"%s\" is %s: cannot delete a container that is not stopped", c->id,
                   oci_status_name(status));
  if (status == OCI_PAUSED || status == OCI_CREATED) (void)oci_cgroup_freeze(&c->cgroup, false, &ignored);
  const bool has_spec = oci_container_spec(c, &spec, &ignored) == 0;
  r = oci_unmake(root, c, has_spec ? &spec : NULL, err);
  if (has_spec) oci_spec_free(&spec);
  return r;
}

int oci_delete(const struct oci_global *g, int argc, char **argv) {
  struct oci_container c = {.dir = -1};
  struct err err;
  bool force = false;
  const struct oci_option table[] = {{"force", 'f', OCI_FLAG, &force}};
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), &err);
  if (i >= 0 && i + 1 != argc) i = err_set(&err, 0, "usage", "podrt delete [--force] ID");
  if (i < 0) return oci_fail(g, &err);
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[i], &c, &err);
  if (r == 0) r = delete (root, &c, force, &err);
  if (r == -ENOENT && force) r = 0;
  if (r < 0) oci_fail(g, &err);
  oci_container_free(&c);
  return r < 0;
}
