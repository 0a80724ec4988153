/* The maker's side of an OCI container: see make.h. */
#include "make_parts.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "clone.h"
#include "lib/deadline.h"
#include "ns.h"

enum { LOCK_MS = 2000 };

/* --- before the clone --- */

static int make_filter(struct maker *m, struct err *err) {
  const struct oci_spec *s = &m->made->spec;
  if (!s->has_seccomp) return 0;
  if (mkdirat(m->made->root, ".seccomp", 0700) < 0 && errno != EEXIST) return err_set(err, errno, "seccomp", "cache");
  cleanup_fd int cache = openat(m->made->root, ".seccomp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return oci_filter_make(&s->seccomp, cache, &m->filter, err);
}

static int make_socket(struct maker *m, struct err *err) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (m->wish->attached) return 0;
  /* By descriptor: a path may be longer than an address. */
  snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d/" OCI_START_SOCKET, m->made->container.dir);
  m->listen = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (m->listen < 0 || bind(m->listen, (struct sockaddr *)&a, sizeof a) < 0 || listen(m->listen, 1) < 0)
    return err_set(err, errno, "socket", OCI_START_SOCKET);
  return 0;
}

static enum oci_cgroup_manager manager(const struct oci_global *g) {
  return g->cgroup_disabled ? OCI_CGROUP_DISABLED : g->systemd_cgroup ? OCI_CGROUP_SYSTEMD : OCI_CGROUPFS;
}

static void warn_of_v1(const struct maker *m) {
  const char *name;
  for (size_t next = 0; (name = oci_resources_not_on_v2(&m->made->spec.resources, &next));)
    oci_warn(m->wish->global, "linux.resources.%s is ignored: cgroup2 has no such limit", name);
}

static int prepare(struct maker *m, struct err *err) {
  struct oci_made *made = m->made;
  const struct oci_spec *s = &made->spec;
  char created[40];
  int r = maker_read(m, err);
  if (r < 0) return r;
  oci_process_grant(m->wish->global, &made->spec.process, s->ns[OCI_USER].listed);
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

static int spawn(struct maker *m, int *ret_exit, struct err *err) {
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
  r = maker_attend(m, &init, ret_exit, err);
  if (r == 0 && s->has_process) r = oci_process_outside(&s->process, pid, err);
  if (r == 0) r = oci_container_save(&made->container, err);
  if (r == 0 && m->wish->pid_file) r = oci_pid_file(m->wish->pid_file, pid, err);
  return r == 0 && !m->wish->attached ? maker_release(m, err) : r;
}

/* --- the end --- */

static void undo(struct maker *m) {
  struct err ignored;
  struct oci_made *made = m->made;
  const bool cloned = made->container.proc.pid > 0;
  oci_end_process(made->pidfd);
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
  struct maker m = {.wish = wish, .made = ret, .bundle = -1, .cgroup_fd = -1, .listen = -1};
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
