/* The maker's side of an OCI container: see make.h. */
#include "make.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "clone.h"
#include "console.h"
#include "hooks.h"
#include "lib/deadline.h"
#include "netdev.h"
#include "ns.h"

enum { CONFIG_MAX = 16 * 1024 * 1024, KILL_MS = 10 * 1000, LOCK_MS = 2000 };

struct make {
  const struct oci_make_wish *wish;
  struct oci_made *made;
  struct oci_cgroup_wish cgroup;
  struct oci_filter filter;
  struct oci_mounts mounts;
  int bundle, cgroup_fd, listen;
  bool rootless;
};

/* --- before the clone --- */

/* Our own copy: what delete and exec read must be what was made, whatever becomes of the bundle. */
static int copy_config(struct make *m, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  const char *name = m->wish->config ? m->wish->config : "config.json";
  int r = read_file_at(m->bundle, name, CONFIG_MAX, &text, &len);
  if (r < 0) return err_set(err, -r, "bundle", "%s", name);
  r = oci_spec_parse(text, len, &m->made->spec, err);
  if (r < 0) return r;
  cleanup_fd int fd = openat(m->made->container.dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  r = fd < 0 ? -errno : write_all(fd, text, len);
  return r < 0 ? err_set(err, -r, "write", "config.json of %s", m->wish->id) : 0;
}

static int open_bundle(struct make *m, struct err *err) {
  struct oci_container *c = &m->made->container;
  m->bundle = open(m->wish->bundle ? m->wish->bundle : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (m->bundle < 0) return err_set(err, errno, "bundle", "%s", m->wish->bundle ? m->wish->bundle : ".");
  /* Longer than PATH_MAX it has no name that realpath(3) could give. */
  char *path = m->wish->bundle && strlen(m->wish->bundle) >= PATH_MAX ? strdup(m->wish->bundle)
                                                                      : realpath(m->wish->bundle ? m->wish->bundle : ".", NULL);
  if (!path) return err_set(err, errno, "bundle", "%s", m->wish->bundle ? m->wish->bundle : ".");
  c->bundle = path;
  return 0;
}

static int check(const struct make *m, struct err *err) {
  const struct oci_spec *s = &m->made->spec;
  const bool terminal = s->has_process && s->process.terminal;
  if (!s->ns[OCI_MOUNT].listed) return err_set(err, 0, "config", "linux.namespaces: podrt needs a mount namespace");
  if (terminal && !m->wish->console_socket && !m->wish->attached)
    return err_set(err, 0, "terminal", "process.terminal needs --console-socket");
  if (!terminal && m->wish->console_socket) return err_set(err, 0, "terminal", "--console-socket without process.terminal");
  if (s->ns[OCI_USER].listed && !s->ns[OCI_USER].path && (!s->n_uid_map || !s->n_gid_map))
    return err_set(err, 0, "config", "linux.uidMappings and gidMappings are needed with a new user namespace");
  if (!s->ns[OCI_USER].listed && (s->n_uid_map || s->n_gid_map))
    return err_set(err, 0, "config", "linux.uidMappings and gidMappings need a user namespace");
  if (s->hostname && *s->hostname && !s->ns[OCI_UTS].listed) return err_set(err, 0, "config", "hostname needs a uts namespace");
  if (s->domainname && *s->domainname && !s->ns[OCI_UTS].listed) return err_set(err, 0, "config", "domainname needs a uts namespace");
  if ((s->monotonic.set || s->boottime.set) && !s->ns[OCI_TIME].listed)
    return err_set(err, 0, "config", "linux.timeOffsets needs a time namespace");
  if (s->n_net_devices && !s->ns[OCI_NETWORK].listed) return err_set(err, 0, "config", "linux.netDevices needs a network namespace");
  if (s->has_rdt) oci_warn(m->wish->global, "linux.intelRdt is ignored");
  return 0;
}

static int make_filter(struct make *m, struct err *err) {
  const struct oci_spec *s = &m->made->spec;
  if (!s->has_seccomp) return 0;
  if (mkdirat(m->made->root, ".seccomp", 0700) < 0 && errno != EEXIST) return err_set(err, errno, "seccomp", "cache");
  cleanup_fd int cache = openat(m->made->root, ".seccomp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return oci_filter_make(&s->seccomp, cache, &m->filter, err);
}

static int make_socket(struct make *m, struct err *err) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (m->wish->attached) return 0;
  /* By descriptor: a path may be longer than an address. */
  snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/" OCI_START_SOCKET, m->made->container.dir);
  m->listen = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (m->listen < 0 || bind(m->listen, (struct sockaddr *)&a, sizeof a) < 0 || listen(m->listen, 1) < 0)
    return err_set(err, errno, "socket", OCI_START_SOCKET);
  return 0;
}

static int root_path(struct make *m, struct err *err) {
  const char *path = m->made->spec.root_path;
  struct oci_container *c = &m->made->container;
  c->rootfs = !path ? strdup("") : path[0] == '/' ? strdup(path) : xformat("%s/%s", c->bundle, path);
  return c->rootfs ? 0 : err_set(err, ENOMEM, "bundle", "%s", "");
}

static enum oci_cgroup_manager manager(const struct oci_global *g) {
  return g->cgroup_disabled ? OCI_CGROUP_DISABLED : g->systemd_cgroup ? OCI_CGROUP_SYSTEMD : OCI_CGROUPFS;
}

static void warn_of_v1(const struct make *m) {
  const char *name;
  for (size_t next = 0; (name = oci_resources_not_on_v2(&m->made->spec.resources, &next));)
    oci_warn(m->wish->global, "linux.resources.%s is ignored: cgroup2 has no such limit", name);
}

static int prepare(struct make *m, struct err *err) {
  struct oci_made *made = m->made;
  const struct oci_spec *s = &made->spec;
  char created[40];
  int r = open_bundle(m, err);
  if (r == 0) r = copy_config(m, err);
  if (r == 0) r = check(m, err);
  if (r == 0) oci_process_grant(m->wish->global, &m->made->spec.process, s->ns[OCI_USER].listed);
  if (r == 0) r = root_path(m, err);
  if (r < 0) return r;
  oci_time(created);
  made->container.created = strdup(created);
  made->container.has_process = s->has_process;
  const int wanted = m->wish->global->rootless;
  m->rootless = wanted == OCI_ROOTLESS_AUTO ? geteuid() != 0 || oci_in_userns() : wanted == OCI_ROOTLESS_TRUE;
  m->cgroup = (struct oci_cgroup_wish){.manager = manager(m->wish->global),
                                       .id = m->wish->id,
                                       .cgroups_path = s->cgroups_path,
                                       .resources = &s->resources,
                                       .rootless = m->rootless,
                                       .rootless_own = m->rootless};
  oci_cgroup_wish_of(s, &m->cgroup);
  m->mounts = (struct oci_mounts){.spec = s,
                                  .bundle = m->bundle,
                                  .new_userns = s->ns[OCI_USER].listed,
                                  .no_pivot = m->wish->no_pivot,
                                  .asks = true,
                                  .cgroup = &made->container.cgroup,
                                  .root = -1,
                                  .devpts = -1};
  r = make_filter(m, err);
  if (r == 0) r = make_socket(m, err);
  if (r == 0) r = oci_cgroup_prepare(&m->cgroup, &made->container.cgroup, &m->cgroup_fd, err);
  if (r == 0 && made->container.cgroup.unified) warn_of_v1(m);
  /* If we are killed from here on, `delete` finds the cgroup; the first process ends with us until its own pid is saved. */
  if (r == 0) r = oci_container_save(&made->container, err);
  return r == 0 ? oci_mounts_prepare(&m->mounts, err) : r;
}

/* --- after the clone --- */

int oci_run_hooks(const struct oci_container *c, const struct oci_spec *spec, enum oci_hook_point point, enum oci_status status,
                  struct err *err) {
  if (!spec->hooks[point].n) return 0;
  json_t *tree = oci_container_state(c, spec, status);
  char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
  json_decref(tree);
  const bool all = point == OCI_POSTSTART || point == OCI_POSTSTOP;
  int r = text ? oci_hooks_run(&spec->hooks[point], text, all, err) : err_set(err, ENOMEM, "hooks", "%s", "");
  free(text);
  return r;
}

static int send_go(int sock, struct err *err) {
  const struct oci_report go = {.message = OCI_GO};
  int r = oci_report_send(sock, &go, -1);
  return r < 0 ? err_set(err, -r, "sync", "%s", "the container's process is gone") : 0;
}

/* What the child waits for. */
static int supply(struct make *m, const struct oci_init *init, struct err *err) {
  struct oci_made *made = m->made;
  const pid_t pid = made->container.proc.pid;
  const struct oci_spec *s = &made->spec;
  const bool maps = s->ns[OCI_USER].listed && !s->ns[OCI_USER].path && !init->map_own;
  int r = maps ? oci_map_write(s, pid, err) : 0;
  if (r == 0) r = oci_cgroup_enter(&m->cgroup, &made->container.cgroup, pid, m->cgroup_fd >= 0, err);
  if (r == 0 && s->n_net_devices) r = oci_net_devices_move(s, made->pidfd, pid, err);
  return r == 0 && init->wait_mapped ? send_go(made->sock, err) : r;
}

static int take_terminal(struct make *m, int fd, struct err *err) {
  if (fd < 0) return err_set(err, EPROTO, "terminal", "%s", "");
  if (!m->wish->console_socket) {
    m->made->master = fd;
    return 0;
  }
  int r = console_send(m->wish->console_socket, fd, err);
  close(fd);
  return r;
}

static int give_clone(const struct make *m, int number, struct err *err) {
  cleanup_fd int fd = oci_mounts_clone(&m->mounts, (size_t)number);
  const struct oci_report answer = {.message = OCI_GO, .number = fd < 0 ? -fd : 0};
  int r = oci_report_send(m->made->sock, &answer, fd);
  return r < 0 ? err_set(err, -r, "sync", "%s", "the container's process is gone") : 0;
}

static int run_runtime_hooks(struct make *m, struct err *err) {
  const struct oci_made *made = m->made;
  /* Those hooks are older than "creating": who still has them, and the validation suite, reads what runc and crun said then. */
  int r = oci_run_hooks(&made->container, &made->spec, OCI_PRESTART, OCI_CREATED, err);
  if (r == 0) r = oci_run_hooks(&made->container, &made->spec, OCI_CREATE_RUNTIME, OCI_CREATING, err);
  return r == 0 ? send_go(made->sock, err) : r;
}

static int hand_listener(struct make *m, int number, int given, struct err *err) {
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
static int attend(struct make *m, int *ret_exit, struct err *err) {
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

int oci_pid_file(const char *path, pid_t pid, struct err *err) {
  char text[16];
  int len = snprintf(text, sizeof text, "%d", (int)pid);
  int r = write_file_atomic_at(AT_FDCWD, path, text, (size_t)len, 0644);
  return r < 0 ? err_set(err, -r, "pid file", "%s", path) : 0;
}

/* What podman's `--group-add keep-groups` asks of crun: supplementary groups that mean nothing inside stay, for the files of the host. */
bool oci_keeps_groups(const struct oci_spec *s) {
  const char *value = oci_annotation(s, "run.oci.keep_original_groups");
  return value && !strcmp(value, "1");
}

static int spawn(struct make *m, int *ret_exit, struct err *err) {
  struct oci_made *made = m->made;
  const struct oci_spec *s = &made->spec;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(err, errno, "socketpair", "%s", "");
  made->sock = ends[0];
  const bool new_user = s->ns[OCI_USER].listed && !s->ns[OCI_USER].path;
  struct oci_init init = {.spec = s,
                          .mounts = m->mounts,
                          .filter = m->filter.code ? &m->filter : NULL,
                          .container = &made->container,
                          .sock = ends[1],
                          .listen = m->listen,
                          .host = {made->root, m->bundle, m->cgroup_fd},
                          .map_own = new_user && geteuid() != 0 && oci_map_is_own(s, geteuid(), getegid()),
                          .terminal = s->has_process && s->process.terminal,
                          .keep_keyring = m->wish->keep_keyring,
                          .rootless = m->rootless,
                          .keep_groups = oci_keeps_groups(s),
                          .preserve = m->wish->preserve,
                          .listen_fds = m->wish->listen_fds};
  const struct oci_cgroup *cg = &made->container.cgroup;
  init.wait_mapped = (new_user && !init.map_own) || s->n_net_devices || (m->cgroup.manager == OCI_CGROUP_SYSTEMD) ||
                     (cg->path && !(m->cgroup_fd >= 0 && cg->unified));
  pid_t pid = oci_clone(&init, m->cgroup_fd, made->sock, &made->pidfd, err);
  if (pid < 0) return (int)pid;
  made->container.proc.pid = pid;
  int r = proc_start_time(pid, &made->container.proc.start);
  if (r < 0) return err_set(err, -r, "start time", "pid %d", (int)pid);
  r = supply(m, &init, err);
  if (r < 0) {
    /* It may have had a reason of its own to go. */
    struct oci_report report;
    int fd;
    if (r == -EPIPE && oci_report_receive(made->sock, &report, &fd) == 0 && report.message == OCI_FAILED) *err = report.err;
    return r;
  }
  r = attend(m, ret_exit, err);
  if (r == 0 && s->has_process) r = oci_process_outside(&s->process, pid, err);
  if (r == 0) r = oci_container_save(&made->container, err);
  if (r == 0 && m->wish->pid_file) r = oci_pid_file(m->wish->pid_file, pid, err);
  return r == 0 && !m->wish->attached ? send_go(made->sock, err) : r;
}

/* --- the end --- */

static void kill_process(int pidfd) {
  struct pollfd p = {.fd = pidfd, .events = POLLIN};
  if (pidfd < 0) return;
  (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
  (void)poll(&p, 1, KILL_MS);
}

int oci_unmake(int root, struct oci_container *c, const struct oci_spec *spec, struct err *err) {
  struct err first;
  cleanup_fd int pidfd = c->proc.pid ? proc_open(&c->proc) : -1;
  kill_process(pidfd);
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

static void undo(struct make *m) {
  struct err ignored;
  struct oci_made *made = m->made;
  const bool cloned = made->container.proc.pid > 0;
  kill_process(made->pidfd);
  if (cloned) (void)waitpid(made->container.proc.pid, NULL, WNOHANG);
  (void)oci_unmake(made->root, &made->container, cloned ? &made->spec : NULL, &ignored);
}

void oci_made_free(struct oci_made *made) {
  int *const all[] = {&made->root, &made->sock, &made->master, &made->pidfd};
  for (size_t i = 0; i < N_ELEMENTS(all); i++) {
    if (*all[i] >= 0) close(*all[i]);
    *all[i] = -1;
  }
  oci_container_free(&made->container);
  oci_spec_free(&made->spec);
}

/* Whoever looks at it holds the lock for a moment; a `delete --force` that has found the folder before us removes it. */
static int lock(struct oci_made *made, struct err *err) {
  const int64_t deadline = clock_ms() + LOCK_MS;
  unsigned naps = 0;
  while (oci_container_lock(&made->container) < 0) {
    if (clock_ms() > deadline) return err_set(err, 0, "container", "\"%s\" is being deleted", made->container.id);
    nap(&naps);
  }
  return oci_container_reload(made->root, &made->container, err);
}

int oci_make(const struct oci_make_wish *wish, struct oci_made *ret, int *ret_exit, struct err *err) {
  struct make m = {.wish = wish, .made = ret, .bundle = -1, .cgroup_fd = -1, .listen = -1};
  *ret = (struct oci_made){.container.dir = -1, .root = -1, .sock = -1, .master = -1, .pidfd = -1};
  *ret_exit = 1;
  int r = ret->root = oci_root_open(wish->global->root, true, err);
  if (r >= 0) r = oci_container_make(ret->root, wish->id, &ret->container, err);
  const bool ours = r == 0;
  if (ours) r = lock(ret, err);
  if (ours && r < 0) {
    oci_made_free(ret);
    return r;
  }
  if (r == 0) r = prepare(&m, err);
  if (r == 0) r = spawn(&m, ret_exit, err);
  if (r < 0 && ours) undo(&m);
  oci_mounts_release(&m.mounts);
  oci_filter_free(&m.filter);
  const int fds[] = {m.bundle, m.cgroup_fd, m.listen};
  for (size_t i = 0; i < N_ELEMENTS(fds); i++)
    if (fds[i] >= 0) close(fds[i]);
  if (r < 0) oci_made_free(ret);
  return r;
}
