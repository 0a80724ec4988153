/* A container's maker while the first process makes itself ready: see make_parts.h. */
#include <sys/syscall.h>

#include "console.h"
#include "hooks.h"
#include "make_parts.h"
#include "netdev.h"
#include "ns.h"

/* --- to the child --- */

static int gone(int r, struct err *err) {
  return r < 0 ? err_set(err, -r, "sync", "%s", "the container's process is gone") : 0;
}

int maker_release(const struct maker *m, struct err *err) {
  return gone(oci_report_send(m->made->sock, &(struct oci_report){.message = OCI_GO}, -1), err);
}

/* --- what it is given, and asks for --- */

int oci_run_hooks(const struct oci_container *c, const struct oci_spec *spec, enum oci_hook_point point, enum oci_status status,
                  struct err *err) {
  if (!spec->hooks[point].n) return 0;
  json_t *tree = oci_container_state(c, spec, status);
  char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
  json_decref(tree);
  const bool all = point == OCI_POSTSTART || point == OCI_POSTSTOP;
  int r = text ? oci_hooks_run(&spec->hooks[point], text, all, -1, err) : err_set(err, ENOMEM, "hooks", "%s", "");
  free(text);
  return r;
}

/* What the child waits for. */
static int supply(struct maker *m, const struct oci_init *init, struct err *err) {
  struct oci_made *made = m->made;
  const pid_t pid = made->container.proc.pid;
  const struct oci_spec *s = &made->spec;
  const bool maps = s->ns[OCI_USER].listed && !s->ns[OCI_USER].path && !init->map_own;
  int r = maps ? oci_map_write(s, pid, err) : 0;
  if (r == 0) r = oci_cgroup_enter(&m->cgroup, &made->container.cgroup, pid, m->cgroup_fd >= 0, err);
  if (r == 0 && s->n_net_devices) r = oci_net_devices_move(s, made->pidfd, pid, err);
  return r == 0 && init->wait_mapped ? maker_release(m, err) : r;
}

static int take_terminal(struct maker *m, int fd, struct err *err) {
  if (fd < 0) return err_set(err, EPROTO, "terminal", "%s", "");
  if (!m->wish->console_socket) {
    m->made->master = fd;
    return 0;
  }
  int r = console_send(m->wish->console_socket, fd, err);
  close(fd);
  return r;
}

static int give_clone(const struct maker *m, int number, struct err *err) {
  cleanup_fd int fd = oci_mounts_clone(&m->mounts, (size_t)number);
  const struct oci_report answer = {.message = OCI_GO, .number = fd < 0 ? -fd : 0};
  return gone(oci_report_send(m->made->sock, &answer, fd), err);
}

static int run_runtime_hooks(struct maker *m, struct err *err) {
  const struct oci_made *made = m->made;
  /* Those hooks are older than "creating": who still has them, and the validation suite, reads what runc and crun said then. */
  int r = oci_run_hooks(&made->container, &made->spec, OCI_PRESTART, OCI_CREATED, err);
  if (r == 0) r = oci_run_hooks(&made->container, &made->spec, OCI_CREATE_RUNTIME, OCI_CREATING, err);
  return r == 0 ? maker_release(m, err) : r;
}

static int hand_listener(struct maker *m, int number, int given, struct err *err) {
  const struct oci_made *made = m->made;
  const struct oci_seccomp *s = &made->spec.seccomp;
  if (number < 0) return 0;
  if (!s->listener_path) return err_set(err, 0, "seccomp", "SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
  cleanup_fd int fd = given >= 0 ? given : (int)syscall(SYS_pidfd_getfd, made->pidfd, number, 0);
  if (fd < 0) return err_set(err, errno, "seccomp", "listener");
  json_t *state = oci_container_state(&made->container, &made->spec, OCI_CREATING);
  int r = oci_filter_send_listener(s->listener_path, fd, made->container.proc.pid, s->listener_metadata, state, err);
  json_decref(state);
  return r;
}

/* Until the container says that it is ready, or why not. */
static int attend(struct maker *m, int *ret_exit, struct err *err) {
  struct oci_made *made = m->made;
  for (;;) {
    struct oci_report report;
    int fd;
    int r = oci_report_receive(made->sock, &report, &fd);
    if (r < 0) return err_set(err, 0, "init", "the container's process ended before it was ready");
    switch (report.message) {
      case OCI_TERMINAL:
        r = take_terminal(m, fd, err);
        fd = -1;
        break;
      case OCI_CLONE:
        r = give_clone(m, report.number, err);
        break;
      case OCI_HOOKS:
        r = run_runtime_hooks(m, err);
        break;
      case OCI_READY:
        return hand_listener(m, report.number, fd, err);
      case OCI_FAILED:
        *err = report.err;
        *ret_exit = report.exit_code;
        return report.err.code ? -report.err.code : -EINVAL;
      default:
        r = err_set(err, EPROTO, "sync", "message %d", (int)report.message);
    }
    if (fd >= 0) close(fd);
    if (r < 0) return r;
  }
}

int maker_attend(struct maker *m, const struct oci_init *init, int *ret_exit, struct err *err) {
  struct oci_report report;
  int fd;
  int r = supply(m, init, err);
  if (r == 0) return attend(m, ret_exit, err);
  /* It may have had a reason of its own to go. */
  if (r == -EPIPE && oci_report_receive(m->made->sock, &report, &fd) == 0 && report.message == OCI_FAILED) *err = report.err;
  return r;
}
