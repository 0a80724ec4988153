/* The container's side of a start: see child.h. */
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "command.h"
#include "environ.h"
#include "fdmsg.h"
#include "fileenv.h"
#include "identity.h"
#include "inroot.h"
#include "kernelfs.h"
#include "lastwords.h"
#include "mask.h"
#include "memoryfs.h"
#include "mountfd.h"
#include "notify.h"
#include "payload.h"
#include "poduserns.h"
#include "proc.h"
#include "rootfs.h"
#include "signals.h"
#include "volumes.h"

/* How long the parent may take to give infra a terminal and to tell systemd. It gives up first, and its end is seen at once. */
enum { RELEASE_MS = NOTIFY_BARRIER_MS + 30 * 1000 };

struct work {
  struct child *c;
  struct environment env;
  struct user user;
  int root, payload, infra_dir, run_dir;
  int master, slave; /* of the terminal, or -1 */
  bool other_formats;
  char *path; /* what to execute */
};

/* --- file systems --- */

static int make_root(struct work *w, struct child_report *report) {
  const struct bundle *b = w->c->bundle;
  if (!b->has_layers) {
    cleanup_free char *path = b->root_path[0] == '/' ? strdup(b->root_path) : xformat("%s/%s", b->folder, b->root_path);
    return path ? rootfs_bind(path, &report->err) : err_set(&report->err, ENOMEM, "root", "%s", "");
  }
  if (w->c->driver == ROOTFS_OVERLAY) return rootfs_overlay(&b->rootfs, &report->unsupported, &report->err);
  if (w->c->driver == ROOTFS_VFS) {
    int r = rootfs_copy(&b->rootfs, &report->err);
    if (r < 0) return r;
  }
  cleanup_free char *merged = xformat("%s/merged", b->rootfs.upper);
  if (!merged) return err_set(&report->err, ENOMEM, "root", "%s", "");
  return rootfs_bind(merged, &report->err);
}

/* Anew, by path: what was opened before the fork belongs to the host's mount namespace, and cannot be bound from here or mounted on. */
static int open_run_folders(struct work *w, struct err *err) {
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  w->infra_dir = run_open_at(run, w->c->bundle->join, false, err);
  if (w->infra_dir < 0) return w->infra_dir;
  w->run_dir = run_open_at(run, w->c->bundle->run_dir, false, err);
  return w->run_dir < 0 ? w->run_dir : 0;
}

/* The user's id in the namespace in which the file systems are made; (uid_t)-1 where it has none. */
static uid_t outer_uid(const struct work *w) {
  return (uid_t)podids_uid(&w->c->bundle->ids, w->user.uid);
}

static int make_file_systems(struct work *w, struct child_report *report) {
  const struct bundle *b = w->c->bundle;
  struct err *err = &report->err;
  int r = open_run_folders(w, err);
  if (r == 0) r = memoryfs_mount(w->c->infra, b, err);
  if (r == 0) r = poduserns_act_as_root(&b->ids, err);
  if (r == 0) r = fileenv_read(b, &w->env, w->run_dir, err);
  if (r < 0) return r;
  w->root = make_root(w, report);
  if (w->root < 0) return w->root;
  struct kernelfs k = {.root = w->root,
                       .infra_dir = w->infra_dir,
                       .own_pid = b->own_pid,
                       .host_ipc = b->host_ipc,
                       .privileged = b->privileged,
                       .writable_cgroup = b->writable_cgroup,
                       .ids = &b->ids};
  const struct volumes v = {.ids = &b->ids, .root = w->root, .infra_dir = w->infra_dir, .run_dir = w->run_dir};
  r = kernelfs_make(&k, err);
  if (r == 0) r = identity_user(b, NULL, w->root, &w->user, err);
  if (r == 0 && b->terminal) r = kernelfs_terminal(k.devpts, outer_uid(w), &w->master, &w->slave, err);
  if (r == 0 && b->terminal) r = kernelfs_console(&k, w->slave, err);
  if (r == 0) r = volumes_etc(&v, err);
  /* In our own /dev, which a volume may cover; another place may be in a volume. */
  const bool usual = !strcmp(b->message_path, LASTWORDS_PATH);
  if (r == 0 && usual) r = volumes_last_words(&v, b, err);
  if (r == 0) r = volumes_mount(&v, b, err);
  if (r == 0 && !usual) r = volumes_last_words(&v, b, err);
  if (r == 0) r = service_mount(b, w->root, w->user.uid, err);
  if (r == 0) r = mask_paths(w->root, b->masked, NULL, err);
  if (r == 0) r = mask_read_only(w->root, b->read_only, err);
  return r;
}

/* The working folder, made if it is not there, as the field does. Then we are in it. */
static int enter_cwd(struct work *w, struct err *err) {
  const char *cwd = w->c->bundle->cwd;
  cleanup_fd int dir = inroot_make_dir(w->root, cwd, 0755, INROOT);
  if (dir < 0 || fchdir(dir) < 0) return err_set(err, dir < 0 ? -dir : errno, "cwd", "%s", cwd);
  return 0;
}

static int leave_host(struct work *w, struct err *err) {
  int r = rootfs_pivot(w->root, err);
  if (r == 0) r = enter_cwd(w, err);
  /* Last, so that all targets of mounts could be made. */
  if (r == 0 && w->c->bundle->root_read_only && (r = mountfd_set(w->root, MOUNT_ATTR_RDONLY, 0, false)) < 0)
    err_set(err, -r, "root", "make it read-only");
  return r;
}

/* Into the pod's own user namespace, and its "/" is another one, in the mount namespace that belongs to it. */
static int enter_user_namespace(struct work *w, struct err *err) {
  int r = poduserns_enter(w->c->infra, err);
  if (r < 0) return r;
  close(steal_fd(&w->root));
  w->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return w->root < 0 ? err_set(err, errno, "open", "/ of the container") : 0;
}

/* --- the process --- */

/* Pipes belong to the container's user, who may then open /dev/stdout anew; 0622 for others of the image, a web server's workers say. */
static int own_pipe(int fd, const struct work *w) {
  const uid_t uid = outer_uid(w);
  const gid_t gid = (gid_t)podids_gid(&w->c->bundle->ids, w->user.gid);
  /* chown(2) would leave these as they are. */
  if (uid == (uid_t)-1 || gid == (gid_t)-1) return -EINVAL;
  return fchown(fd, uid, gid) < 0 || fchmod(fd, 0622) < 0 ? -errno : 0;
}

/* The container's own, unless a volume has put something else there. */
static int open_null(int root, int flags) {
  struct stat st;
  cleanup_fd int fd = inroot_open(root, "/dev/null", (uint64_t)flags | O_NONBLOCK | O_NOCTTY, INROOT);
  if (fd < 0) return fd;
  return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3) ? steal_fd(&fd) : -ENODEV;
}

static int set_stdio(struct work *w, struct err *err) {
  const struct child *c = w->c;
  const struct bundle *b = c->bundle;
  cleanup_fd int null = w->slave >= 0 ? -1 : open_null(w->root, b->no_log ? O_RDWR : O_RDONLY);
  if (w->slave < 0 && null < 0) return err_set(err, -null, "stdin", "/dev/null of the container");
  const int in = w->slave >= 0 ? w->slave : c->in >= 0 ? c->in : null;
  const int out = b->no_log ? null : w->slave >= 0 ? w->slave : c->out, error = b->no_log ? null : w->slave >= 0 ? w->slave : c->err_fd;
  int r = 0;
  if (w->slave < 0 && !b->no_log) {
    r = own_pipe(out, w);
    if (r == 0) r = own_pipe(error, w);
  } else if (w->slave >= 0 && ioctl(w->slave, TIOCSCTTY, 0) < 0) {
    r = -errno;
  }
  /* As the others: who is not root, too, may open /dev/stdin anew. */
  if (r == 0 && w->slave < 0 && c->in >= 0) r = own_pipe(in, w);
  if (r == 0 && (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(error, 2) < 0)) r = -errno;
  /* Ours close at exec each by itself; what systemd or a person's shell may have passed on does not. */
  if (r == 0 && close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) r = -errno;
  if (r == -EINVAL)
    return err_set(err, EINVAL, "user", "%u:%u is not mapped in the user namespace (/etc/subuid, /etc/subgid)", w->user.uid, w->user.gid);
  return r < 0 ? err_set(err, -r, "stdio", "%s", "") : 0;
}

static int find_command(struct work *w, struct child_report *report) {
  const struct bundle *b = w->c->bundle;
  const struct command_wish wish = {
      .root = w->root, .word = b->args[0], .path = environment_get(&w->env, "PATH"), .cwd = b->cwd, .other_formats = w->other_formats};
  return command_find(&wish, &w->path, &report->exit_code, &report->err);
}

static int prepare(struct work *w, struct child_report *report) {
  const struct bundle *b = w->c->bundle;
  struct err *err = &report->err;
  /* With the host's files in reach. */
  w->other_formats = command_other_formats();
  w->payload = payload_open(err);
  if (w->payload < 0) return w->payload;
  int r = environment_make(b, &w->env, err);
  if (r == 0) r = service_environment(b, w->c->service, &w->env, err);
  if (r == 0) r = make_file_systems(w, report);
  if (r == 0) r = leave_host(w, err);
  /* From here on only the container's files are there. */
  if (r == 0 && (r = environment_defaults(&w->env, w->user.home, b->terminal)) < 0) err_set(err, -r, "environment", "%s", "");
  if (r == 0) r = identity_detach(err);
  if (r == 0) r = set_stdio(w, err);
  if (r == 0 && b->ids.own) r = enter_user_namespace(w, err);
  if (r == 0) r = identity_apply(b, &w->user, err);
  if (r == 0) r = find_command(w, report);
  return r == 0 ? service_pass(w->c->service, err) : r;
}

/* --- reports --- */

static int send_report(int sock, const struct child_report *report, int master) {
  struct iovec iov = {.iov_base = (void *)report, .iov_len = sizeof *report};
  const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  return fdmsg_send(sock, &msg, &master, master >= 0);
}

int child_receive(int sock, int ms, struct child_report *ret, int *ret_master) {
  struct pollfd p = {.fd = sock, .events = POLLIN};
  struct iovec iov = {.iov_base = ret, .iov_len = sizeof *ret};
  size_t n_fds;
  *ret_master = -1;
  int r;
  do {
    r = poll(&p, 1, ms);
  } while (r < 0 && errno == EINTR);
  if (r <= 0) return r < 0 ? -errno : -ETIMEDOUT;
  ssize_t n = fdmsg_receive(sock, &iov, 1, ret_master, 1, &n_fds);
  if (n < 0) return (int)n;
  return n == (ssize_t)sizeof *ret ? 0 : -ECONNRESET;
}

int child_release(int sock, const struct address_pair *addresses) {
  return send(sock, addresses, sizeof *addresses, MSG_NOSIGNAL) == (ssize_t)sizeof *addresses ? 0 : -errno;
}

/* A stop that comes before the payload runs: PID 1 of a namespace would not die of it otherwise. */
static void stopped(int number) {
  _exit(128 + number);
}

static bool released(int sock, struct address_pair *ret) {
  struct pollfd p = {.fd = sock, .events = POLLIN};
  int r;
  do {
    r = poll(&p, 1, RELEASE_MS);
  } while (r < 0 && errno == EINTR);
  return r == 1 && recv(sock, ret, sizeof *ret, 0) == (ssize_t)sizeof *ret;
}

/* Known only now, when the pod's network is there. */
static int expand(struct work *w, const struct address_pair *addresses) {
  const char **args = w->c->bundle->args;
  for (size_t i = 0; args[i]; i++)
    if (strchr(args[i], '\x01') && !(args[i] = addresses_expand(addresses, args[i]))) return -ENOMEM;
  return addresses_expand_all(addresses, w->env.vars);
}

void child_main(struct child *c) {
  struct address_pair addresses;
  struct child_report report = {0};
  struct work w = {.c = c, .root = -1, .payload = -1, .infra_dir = -1, .run_dir = -1, .master = -1, .slave = -1};
  if (prepare(&w, &report) < 0) {
    if (!report.exit_code) report.exit_code = EXIT_PODRT;
    (void)send_report(c->sock, &report, -1);
    _exit(report.exit_code);
  }
  signals_handle(stopped);
  report = (struct child_report){0};
  if (send_report(c->sock, &report, w.master) < 0 || !released(c->sock, &addresses)) _exit(EXIT_PODRT);
  if (c->bundle->addresses && expand(&w, &addresses) < 0) _exit(EXIT_PODRT);
  struct err err;
  (void)payload_exec(w.payload, w.path, (char *const *)c->bundle->args, w.env.vars, &err);
  err_print(&err, "run");
  _exit(EXIT_NOT_EXECUTABLE);
}
