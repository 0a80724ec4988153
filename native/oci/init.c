/* What a container's first process does from clone to exec: see init.h. */
#include "init.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "console.h"
#include "hooks.h"
#include "lib/command.h"
#include "lib/environ.h"
#include "lib/inroot.h"
#include "lib/kernelfs.h"
#include "lib/payload.h"
#include "lib/user.h"
#include "ns.h"
#include "selinux.h"

struct work {
  struct oci_init *i;
  struct environment env;
  struct oci_become become;
  int payload, conn; /* conn: whoever has started us, or -1 */
  bool other_formats;
  pid_t pid; /* as the maker sees it; 0 where no hook of ours asks */
  char *path;
  int exit_code;
};

/* --- talking --- */

static int say(struct work *w, enum oci_message message, int number, int fd, struct err *err) {
  const struct oci_report report = {.message = message, .number = number};
  int r = oci_report_send(w->i->sock, &report, fd);
  return r < 0 ? err_set(err, -r, "sync", "%s", "with the container's maker") : 0;
}

static int await_go(struct work *w, struct err *err) {
  struct oci_report report;
  int fd;
  int r = oci_report_receive(w->i->sock, &report, &fd);
  if (fd >= 0) close(fd);
  if (r == 0 && report.message != OCI_GO) r = -EPROTO;
  return r < 0 ? err_set(err, -r, "sync", "%s", "the container's maker is gone") : 0;
}

/* For oci_mounts: see its `ask`. */
static int ask_clone(void *who, size_t i) {
  struct work *w = who;
  struct oci_report report;
  struct err err;
  int fd;
  int r = say(w, OCI_CLONE, (int)i, -1, &err);
  if (r == 0) r = oci_report_receive(w->i->sock, &report, &fd);
  if (r < 0 || fd >= 0) return r < 0 ? r : fd;
  return report.number > 0 ? -report.number : -EPROTO;
}

static void fail(struct work *w, int sock, const struct err *err) __attribute__((noreturn));
static void fail(struct work *w, int sock, const struct err *err) {
  const struct oci_report report = {.message = OCI_FAILED, .exit_code = w->exit_code ? w->exit_code : 1, .err = *err};
  (void)oci_report_send(sock, &report, -1);
  _exit(report.exit_code);
}

/* --- namespaces --- */

static int set_names(const struct oci_spec *spec, struct err *err) {
  if (spec->hostname && *spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
    return err_set(err, errno, "hostname", "%s", spec->hostname);
  if (spec->domainname && *spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
    return err_set(err, errno, "domainname", "%s", spec->domainname);
  return 0;
}

/*
 * Nobody in the container may look into us, who share a user namespace with it (lib/payload.h). Only now, because files in /proc of a
 * process that is not dumpable belong to the machine's root, and id maps and time offsets are written there. Until here nobody else is
 * in our user namespace, and nobody in a lesser one may trace us (cap_ptrace_access_check).
 */
static int protect(struct err *err) {
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? err_set(err, errno, "prctl", "%s", "") : 0;
}

static int enter_namespaces(struct work *w, struct err *err) {
  struct oci_init *i = w->i;
  const uint64_t new = oci_ns_new(i->spec);
  int r = i->spec->has_process ? oci_process_oom(&i->spec->process, i->rootless, err) : 0;
  if (r == 0 && i->map_own) r = oci_map_own(i->spec, err);
  if (r == 0 && i->wait_mapped) r = await_go(w, err);
  if (r == 0 && i->spec->ns[OCI_TIME].listed && !i->spec->ns[OCI_TIME].path) r = oci_time_namespace(i->spec, err);
  if (r == 0) r = protect(err);
  if (r == 0 && i->spec->ns[OCI_USER].listed) r = oci_ns_become_root(i->spec, i->keep_groups, err);
  if (r == 0) r = oci_ns_join(i->spec, &i->joined, true, err);
  if (r == 0 && new &CLONE_NEWCGROUP && !i->cgroup_made && unshare(CLONE_NEWCGROUP) < 0)
    r = err_set(err, errno, "unshare", "cgroup namespace");
  if (r == 0 && new &CLONE_NEWNET) oci_loopback_up();
  if (r == 0) r = set_names(i->spec, err);
  return r;
}

/* --- hooks --- */

/* Our pid as those see it who made us: by the host's /proc, which is still there. */
static pid_t outer_pid(void) {
  char text[16];
  ssize_t n = readlink("/proc/self", text, sizeof text - 1);
  text[n > 0 ? n : 0] = 0;
  return (pid_t)atoi(text);
}

static int run_hooks(struct work *w, enum oci_hook_point point, enum oci_status status, struct err *err) {
  const struct oci_spec *spec = w->i->spec;
  if (!spec->hooks[point].n) return 0;
  struct oci_container c = *w->i->container;
  c.proc.pid = w->pid;
  json_t *tree = oci_container_state(&c, spec, status);
  char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
  json_decref(tree);
  /* Those of the start are in the container's SELinux domain by now, and get there like its payload. */
  const int payload = point == OCI_START_CONTAINER ? w->payload : -1;
  int r = text ? oci_hooks_run(&spec->hooks[point], text, false, payload, err) : err_set(err, ENOMEM, "hooks", "%s", "");
  free(text);
  return r;
}

/* --- terminal, environment --- */

static int make_terminal(struct work *w, struct err *err) {
  struct oci_init *i = w->i;
  const struct oci_process *p = &i->spec->process;
  int master, slave;
  if (i->mounts.devpts < 0) return err_set(err, 0, "terminal", "no devpts is mounted at /dev/pts");
  int r = kernelfs_terminal(i->mounts.devpts, p->uid, &master, &slave, err);
  if (r < 0) return r;
  console_set_size(slave, p->rows, p->columns);
  r = oci_mounts_console(&i->mounts, slave, err);
  if (r == 0) r = say(w, OCI_TERMINAL, 0, master, err);
  close(master);
  if (r == 0 && ioctl(slave, TIOCSCTTY, 0) < 0) r = err_set(err, errno, "terminal", "TIOCSCTTY");
  for (int fd = 0; r == 0 && fd < 3; fd++)
    if (dup2(slave, fd) < 0) r = err_set(err, errno, "terminal", "%s", "");
  close(slave);
  return r;
}

static int make_environment(struct work *w, struct err *err) {
  const struct oci_process *p = &w->i->spec->process;
  char home[512];
  int r = 0;
  for (size_t i = 0; r == 0 && p->env && p->env[i]; i++) r = environment_add(&w->env, p->env[i]);
  if (r == 0 && !environment_get(&w->env, "HOME")) {
    user_home(w->i->mounts.root, p->uid, home);
    r = environment_set(&w->env, "HOME", home);
  }
  if (r == 0 && w->i->listen_fds) r = environment_set(&w->env, "LISTEN_FDS", w->i->listen_fds);
  if (r == 0 && w->i->listen_fds) r = environment_set(&w->env, "LISTEN_PID", "1");
  return r < 0 ? err_set(err, -r, "environment", "%s", "") : 0;
}

/* --- the steps --- */

static bool has_runtime_hooks(const struct oci_spec *spec) {
  return spec->hooks[OCI_PRESTART].n || spec->hooks[OCI_CREATE_RUNTIME].n;
}

/* An image's working folder need not be in its layers: containerd leaves it to the runtime. That it cannot be made is told by who enters
 * it. */
static void make_cwd(const struct oci_init *i) {
  const struct oci_process *p = &i->spec->process;
  if (!i->spec->has_process || !p->cwd || !strcmp(p->cwd, "/")) return;
  cleanup_fd int dir = inroot_make_dir(i->mounts.root, p->cwd, 0755, INROOT);
}

static int make_file_systems(struct work *w, struct err *err) {
  struct oci_init *i = w->i;
  i->mounts.ask = ask_clone;
  i->mounts.who = w;
  int r = oci_mounts_make(&i->mounts, err);
  if (r == 0) make_cwd(i);
  if (r == 0 && i->terminal) r = make_terminal(w, err);
  if (r == 0 && has_runtime_hooks(i->spec)) {
    r = say(w, OCI_HOOKS, 0, -1, err);
    if (r == 0) r = await_go(w, err);
  }
  if (r == 0) r = run_hooks(w, OCI_CREATE_CONTAINER, OCI_CREATING, err);
  return r == 0 ? oci_mounts_enter(&i->mounts, err) : r;
}

static int find_command(struct work *w, struct err *err) {
  const struct oci_process *p = &w->i->spec->process;
  const struct command_wish wish = {.root = w->i->mounts.root,
                                    .word = p->args[0],
                                    .path = environment_get(&w->env, "PATH"),
                                    .cwd = p->cwd,
                                    .other_formats = w->other_formats};
  int r = command_find(&wish, &w->path, &w->exit_code, err);
  return oci_command_words(r, p->args[0], w->exit_code, err);
}

/* Without a process the namespaces and mounts are made all the same, and held until the container is deleted: start then fails. */
static int prepare(struct work *w, struct err *err) {
  struct oci_init *i = w->i;
  const struct oci_process *p = &i->spec->process;
  w->other_formats = command_other_formats();
  w->payload = payload_open(err);
  if (w->payload < 0) return w->payload;
  if (i->spec->has_process) oci_selinux_payload(i->spec, p, w->payload);
  if (i->spec->hooks[OCI_CREATE_CONTAINER].n || i->spec->hooks[OCI_START_CONTAINER].n) w->pid = outer_pid();
  if (setsid() < 0 && errno != EPERM) return err_set(err, errno, "setsid", "%s", "");
  int r = enter_namespaces(w, err);
  if (r == 0) r = make_file_systems(w, err);
  if (r < 0 || !i->spec->has_process) return r;
  w->become = (struct oci_become){.process = p,
                                  .root = i->mounts.root,
                                  .filter = i->filter,
                                  .has_personality = i->spec->has_personality,
                                  .personality = i->spec->personality,
                                  .keep_keyring = i->keep_keyring,
                                  .keep_groups = i->keep_groups,
                                  .preserve = i->preserve,
                                  .listener = -1};
  r = make_environment(w, err);
  if (r == 0) r = oci_process_become(&w->become, err);
  return r == 0 && p->args ? find_command(w, err) : r;
}

/* Whoever connects to the socket starts us, or goes away: then nobody ever will, since the socket's name is removed before. */
static int await_start(struct work *w, struct err *err) {
  struct oci_init *i = w->i;
  /* For `create` that the state is saved: killed before, the maker would leave somebody whom nobody knows. */
  int fd, r = await_go(w, err);
  if (i->listen < 0 || r < 0) return r;
  close(i->sock);
  do {
    fd = accept4(i->listen, NULL, NULL, SOCK_CLOEXEC);
  } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (fd < 0) return err_set(err, errno, "accept", OCI_START_SOCKET);
  close(i->listen);
  w->conn = i->sock = fd;
  return await_go(w, err);
}

static int start(struct work *w, struct err *err) {
  struct oci_init *i = w->i;
  int r = await_start(w, err);
  if (r < 0) return r;
  if (!i->spec->has_process || !i->spec->process.args) return err_set(err, 0, "start", "the configuration has no process.args");
  r = run_hooks(w, OCI_START_CONTAINER, OCI_CREATED, err);
  if (r == 0) r = oci_process_finish(&w->become, err);
  if (r < 0) return r;
  (void)payload_exec(w->payload, w->path, (char *const *)i->spec->process.args, w->env.vars, err);
  w->exit_code = EXIT_NOT_EXECUTABLE;
  return oci_selinux_explain(&i->spec->process, err);
}

/* A filter may forbid sendmsg(2), which carries the listener; write(2) then tells its number, by which a maker with the rights takes it. */
static int say_ready(struct work *w, struct err *err) {
  const int listener = w->become.listener;
  if (listener >= 0 && say(w, OCI_READY, listener, listener, err) == 0) return 0;
  return say(w, OCI_READY, listener, -1, err);
}

/* PID 1 of a namespace does not die of a signal that it does not handle: one that comes before the payload shall end it all the same. */
static void stopped(int number) {
  _exit(128 + number);
}

void oci_init_main(struct oci_init *i) {
  /* The maker's lock on the container is on the first, and folders of the host are none of the container's business, which may wait long
   * for its start. */
  close(i->container->dir);
  for (size_t n = 0; n < N_ELEMENTS(i->host); n++)
    if (i->host[n] >= 0) close(i->host[n]);
  struct work w = {.i = i, .payload = -1, .conn = -1, .become = {.listener = -1}};
  struct err err = {0};
  if (prepare(&w, &err) < 0) fail(&w, i->sock, &err);
  (void)signal(SIGTERM, stopped);
  (void)signal(SIGINT, stopped);
  if (oci_process_listen(&w.become, &err) < 0 || say_ready(&w, &err) < 0) fail(&w, i->sock, &err);
  (void)start(&w, &err);
  fail(&w, i->sock, &err);
}
