/*
 * podrt exec for OCI engines: a further process in a container.
 *
 * Between us and the container: (1) plan, all of the host's files read; (2) we are not dumpable any more, which the child inherits, and
 * join the container's PID namespace for our children alone, so that one clone is enough; (3) the child is born in the container's cgroup
 * and joins the other namespaces, the user namespace among them, in one setns(2) on the pidfd of the container's first process; (4) it
 * reports its terminal and that it is ready; (5) we, still on the host, set what takes the host's rights, write the pid file and let it
 * execute.
 */
#include "exec.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "console.h"
#include "lib/clone3.h"
#include "lib/command.h"
#include "lib/payload.h"
#include "make.h"
#include "process.h"
#include "selinux.h"
#include "verbs.h"

struct work {
  const struct oci_global *global;
  const struct exec_words *words;
  struct exec_plan *plan;
  struct exec_child child;
  int sock, console, master, signals;
  pid_t pid;
};

static int not_running(const struct exec_plan *plan, struct err *err) {
  return err_set(err, 0, "exec", "container \"%s\" is stopped: container not running", plan->container.id);
}

/* --- namespaces --- */

static bool is_ours(pid_t pid, enum oci_namespace ns) {
  static const char *const links[] = {"user", "net", "ipc", "uts", "pid", "mnt", "cgroup", "time"};
  char own[40], its[40];
  struct stat a, b;
  snprintf(own, sizeof own, "/proc/self/ns/%s", links[ns]);
  snprintf(its, sizeof its, "/proc/%d/ns/%s", (int)pid, links[ns]);
  return stat(own, &a) == 0 && stat(its, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * Those of the configuration. One that was joined by path may be our own: joining that again takes rights which the caller need not have,
 * or is an error (the user namespace). Where the container has none of its own, it lives in its maker's; the engine calls us from there.
 */
static uint64_t namespaces(const struct exec_plan *plan) {
  uint64_t flags = 0;
  for (int i = 0; i < OCI_NAMESPACES; i++) {
    const enum oci_namespace ns = (enum oci_namespace)i;
    const bool doubtful = plan->spec.ns[i].path || ns == OCI_USER;
    if (plan->spec.ns[i].listed && !(doubtful && is_ours(plan->container.proc.pid, ns))) flags |= oci_namespace_flag(ns);
  }
  return flags;
}

/*
 * The PID namespace takes effect for children, so it is joined before the clone. An unprivileged caller has the right to that only as root
 * of the container's user namespace, and joins that first; all else is still the host's (files, the mount namespace).
 */
static int join_pids(struct work *w, struct err *err) {
  struct exec_child *c = &w->child;
  if (!(c->join & CLONE_NEWPID)) return 0;
  if (setns(c->init, CLONE_NEWPID) < 0) {
    const uint64_t both = c->join & (CLONE_NEWPID | CLONE_NEWUSER);
    if (errno != EPERM || both == CLONE_NEWPID || setns(c->init, (int)both) < 0)
      return errno == ESRCH ? not_running(w->plan, err) : err_set(err, errno, "setns", "the container's PID namespace");
    c->join &= ~(uint64_t)CLONE_NEWUSER;
  }
  c->join &= ~(uint64_t)CLONE_NEWPID;
  return 0;
}

/* --- the child's reports --- */

static int take_terminal(struct work *w, int fd, struct err *err) {
  if (fd < 0) return err_set(err, EPROTO, "terminal", "%s", "");
  if (w->console < 0) {
    w->master = fd;
    return 0;
  }
  int r = console_give_terminal(w->console, fd, err);
  close(fd);
  return r;
}

/* To the agent that the configuration names; `fd` where it came along, else taken by its number. */
static int hand_listener(struct work *w, int number, int fd, struct err *err) {
  const struct exec_plan *plan = w->plan;
  const struct oci_seccomp *s = &plan->spec.seccomp;
  if (number < 0) return 0;
  if (!s->listener_path) return err_set(err, 0, "seccomp", "SCMP_ACT_NOTIFY needs linux.seccomp.listenerPath");
  cleanup_fd int pidfd = fd < 0 ? (int)syscall(SYS_pidfd_open, w->pid, 0) : -1;
  cleanup_fd int taken = fd < 0 ? (int)syscall(SYS_pidfd_getfd, pidfd, number, 0) : -1;
  if (fd < 0 && taken < 0) return err_set(err, errno, "seccomp", "listener");
  json_t *state = oci_container_state(&plan->container, &plan->spec, OCI_RUNNING);
  int r = oci_filter_send_listener(s->listener_path, fd < 0 ? taken : fd, w->pid, s->listener_metadata, state, err);
  json_decref(state);
  return r;
}

/* Until it is ready, or has said why not. */
static int attend(struct work *w, int *ret_exit, struct err *err) {
  for (;;) {
    struct oci_report report;
    int fd, r;
    if (oci_report_receive(w->sock, &report, &fd) < 0) return err_set(err, 0, "exec", "the process ended before it was ready");
    switch (report.message) {
      case OCI_TERMINAL:
        r = take_terminal(w, fd, err);
        if (r < 0) return r;
        continue;
      case OCI_READY:
        r = hand_listener(w, report.number, fd, err);
        if (fd >= 0) close(fd);
        return r;
      case OCI_FAILED:
        *err = report.err;
        *ret_exit = report.exit_code;
        return -EINVAL;
      default:
        return err_set(err, EPROTO, "sync", "message %d", (int)report.message);
    }
  }
}

/* The end of the socket, without a word, is the exec. */
static int release(struct work *w, int *ret_exit, struct err *err) {
  struct oci_report report = {.message = OCI_GO};
  int fd;
  int r = oci_report_send(w->sock, &report, -1);
  if (r < 0) return err_set(err, -r, "exec", "%s", "the process is gone");
  if (oci_report_receive(w->sock, &report, &fd) < 0 || report.message != OCI_FAILED) return 0;
  *err = report.err;
  *ret_exit = report.exit_code;
  return -EINVAL;
}

static int send_pidfd(const struct work *w, struct err *err) {
  cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, w->pid, 0);
  if (pidfd < 0) return err_set(err, errno, "pidfd", "%s", "");
  cleanup_fd int sock = console_connect(w->words->pidfd_socket, "pidfd-socket", err);
  return sock < 0 ? sock : console_give(sock, pidfd, "pidfd", err);
}

/* --- the verb --- */

static int prepare(struct work *w, struct err *err) {
  const struct exec_plan *plan = w->plan;
  struct exec_child *c = &w->child;
  c->init = proc_open(&plan->container.proc);
  if (c->init < 0) return not_running(plan, err);
  c->join = namespaces(plan);
  c->new_root = c->join & CLONE_NEWUSER;
  c->other_formats = command_other_formats();
  c->payload = payload_open(err);
  if (c->payload < 0) return c->payload;
  oci_selinux_payload(&plan->spec, &plan->process, c->payload);
  if (w->words->console_socket && (w->console = console_connect(w->words->console_socket, "console-socket", err)) < 0) return w->console;
  if (!w->words->detach && (w->signals = console_signals(err)) < 0) return w->signals;
  /* Inherited: files of one who is not dumpable are the machine's root's, who we need not be. */
  int r = oci_process_oom(&plan->process, true, err);
  if (r < 0) return r;
  /* From here on processes of the container could look at our child, if we let them: lib/payload.h. */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "%s", "");
  return join_pids(w, err);
}

/*
 * Into the container's cgroup, or, where the kernel does not want that, to where we are: the child then moves by itself, and has the reason
 * if it cannot. Reasons: rights, folders below (EBUSY), a kind of cgroup that takes no processes (EOPNOTSUPP), and pids.max (EAGAIN), which
 * who is moved in may exceed: a container that is full of processes has to be looked at, too.
 */
static pid_t clone_child(struct work *w) {
  struct oci_cgroup_guest *guest = &w->child.guest;
  pid_t pid = -1;
  guest->is_in = true;
  for (int lowest = 0; lowest < 2 && pid < 0; lowest++) {
    cleanup_fd int cgroup = oci_cgroup_birthplace(&w->plan->container.cgroup, guest, lowest);
    if (cgroup < 0) break;
    pid = clone3_now(&(struct clone3_args){.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup});
    if (pid < 0 && errno != EBUSY) break;
  }
  if (pid >= 0) return pid;
  guest->is_in = false;
  return fork();
}

static int spawn(struct work *w, struct err *err) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(err, errno, "socketpair", "%s", "");
  w->sock = ends[0];
  w->child.sock = ends[1];
  w->pid = clone_child(w);
  if (w->pid == 0) {
    close(w->sock);
    /* The host's folder of the container is not for a process in it. */
    close(w->plan->container.dir);
    exec_child_main(&w->child);
  }
  int saved = errno;
  close(ends[1]);
  return w->pid < 0 ? err_set(err, saved, "fork", "%s", saved == ENOMEM ? "the container's first process has ended" : "") : 0;
}

static int start(struct work *w, int *ret_exit, struct err *err) {
  int r = prepare(w, err);
  if (r == 0) r = spawn(w, err);
  if (r == 0) r = attend(w, ret_exit, err);
  if (r == 0) r = oci_process_outside(&w->plan->process, w->pid, err);
  if (r == 0 && w->words->pid_file) r = oci_pid_file(w->words->pid_file, w->pid, err);
  if (r == 0 && w->words->pidfd_socket) r = send_pidfd(w, err);
  return r == 0 ? release(w, ret_exit, err) : r;
}

static int run(struct work *w, int *ret_exit, struct err *err) {
  int r = start(w, ret_exit, err);
  if (r < 0 && w->pid > 0) {
    (void)kill(w->pid, SIGKILL);
    (void)waitpid(w->pid, NULL, 0);
  }
  if (r == 0 && w->words->detach) *ret_exit = 0;
  if (r == 0 && !w->words->detach) {
    r = console_serve(w->master, w->signals, w->pid, err);
    if (r >= 0) *ret_exit = r;
  }
  const int fds[] = {w->sock, w->console, w->master, w->signals, w->child.init, w->child.payload};
  for (size_t i = 0; i < N_ELEMENTS(fds); i++)
    if (fds[i] >= 0) close(fds[i]);
  return r;
}

int oci_exec(const struct oci_global *g, int argc, char **argv) {
  struct exec_words words;
  struct exec_plan plan;
  struct err err;
  int code = EXIT_EXEC;
  int r = exec_words_read(argc, argv, &words, &err);
  if (r == 0) r = exec_plan_make(g, &words, &plan, &err);
  if (r == 0) {
    struct work w = {.global = g, .words = &words, .plan = &plan, .sock = -1, .console = -1, .master = -1, .signals = -1};
    w.child =
        (struct exec_child){.plan = &plan, .guest = {.sub = words.cgroup, .host = plan.container.proc.pid}, .init = -1, .payload = -1};
    r = run(&w, &code, &err);
    exec_plan_free(&plan);
  }
  const bool usage = r < 0 && oci_fail(g, &err) == 64;
  exec_words_free(&words);
  return usage ? 64 : r < 0 && code == 0 ? EXIT_EXEC : code;
}
