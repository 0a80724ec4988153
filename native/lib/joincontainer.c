/* exec: into a container: see joincontainer.h. */
#include "joincontainer.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "addresses.h"
#include "command.h"
#include "fileenv.h"
#include "identity.h"
#include "inroot.h"
#include "joinpod.h"
#include "payload.h"
#include "started.h"

enum { ATTACH_MS = 5 * 1000, DEVPTS_MAGIC = 0x1cd1 };

static int wait_attached(int fd, struct err *err) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  char byte;
  int r;
  do {
    r = poll(&p, 1, ATTACH_MS);
  } while (r < 0 && errno == EINTR);
  if (r == 0) return err_set(err, ETIMEDOUT, "attach", "nobody has put us into the container's cgroup");
  if (r < 0 || read(fd, &byte, 1) != 1) return err_set(err, 0, "attach", "the caller gave up");
  close(fd);
  return 0;
}

/* The container's process and its bundle. Returns the pidfd. */
static int find(int run, const struct exec_wish *wish, struct bundle *ret, pid_t *ret_pid, struct err *err) {
  struct proc_id id;
  cleanup_free char *folder = NULL;
  cleanup_fd int dir = run_open_at(run, wish->run_dir, false, err);
  if (dir < 0) return dir;
  int r = started_read(dir, &id, &folder, err);
  if (r < 0) return r;
  cleanup_fd int pidfd = proc_open(&id);
  if (pidfd == -ESRCH) return err_set(err, 0, "container", "%s does not run", wish->run_dir), -ESRCH;
  if (pidfd < 0) return err_set(err, -pidfd, "container", "%s", wish->run_dir);
  r = bundle_read(folder, ret, err);
  *ret_pid = id.pid;
  return r < 0 ? r : steal_fd(&pidfd);
}

/* The container's devpts, which a process of its could have covered by something that answers strangely. */
static int open_devpts(int root, struct err *err) {
  struct statfs fs;
  cleanup_fd int fd = inroot_open(root, "/dev/pts", O_PATH | O_DIRECTORY, INROOT);
  if (fd < 0 || fstatfs(fd, &fs) < 0) return err_set(err, fd < 0 ? -fd : errno, "terminal", "/dev/pts of the container");
  return fs.f_type == DEVPTS_MAGIC ? steal_fd(&fd) : err_set(err, ENODEV, "terminal", "/dev/pts of the container");
}

static int enter(const struct exec_wish *wish, struct exec_place *place, struct err *err) {
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  pid_t pid = 0, infra_pid;
  cleanup_fd int pidfd = find(run, wish, &place->bundle, &pid, err);
  if (pidfd < 0) return pidfd;
  cleanup_fd int infra_dir = -1;
  cleanup_fd int infra = joinpod_open(run, place->bundle.join, &infra_dir, &infra_pid, err);
  if (infra < 0) return infra;
  int r = wish->attach_fd < 0 ? 0 : wait_attached(wish->attach_fd, err);
  if (r < 0) return r;
  /* Secrets are the host's files: read before we leave. */
  r = environment_make(&place->bundle, &place->env, err);
  if (r == 0) {
    cleanup_fd int dir = run_open_at(run, wish->run_dir, false, err);
    r = dir < 0 ? dir : fileenv_recall(&place->bundle, &place->env, dir, err);
  }
  if (r < 0) return r;
  struct address_pair addresses = {0};
  if (place->bundle.addresses) addresses_find(&addresses.host);
  place->other_formats = command_other_formats();
  place->payload = payload_open(err);
  if (place->payload < 0) return place->payload;
  /* From here on processes of the container could look at us, if we let them: payload.h. */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "%s", "");
  const struct joinpod_container c = {.infra = infra, .pidfd = pidfd, .infra_pid = infra_pid, .pid = pid};
  r = joinpod_enter_container(&c, &place->bundle.ids, err);
  if (r < 0) return r;
  if (place->bundle.addresses) {
    addresses_find(&addresses.pod);
    if ((r = addresses_expand_all(&addresses, place->env.vars)) < 0) return err_set(err, -r, "environment", "%s", "");
  }
  /* setns(2) to a mount namespace has put us at its root. */
  place->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (place->root < 0) return err_set(err, errno, "open", "/ of the container");
  if (!wish->tty) return 0;
  place->devpts = open_devpts(place->root, err);
  return place->devpts < 0 ? place->devpts : 0;
}

int exec_join(const struct exec_wish *wish, struct exec_place *ret, struct err *err) {
  struct exec_place place = {.payload = -1, .root = -1, .devpts = -1};
  int r = enter(wish, &place, err);
  for (size_t i = 0; r == 0 && wish->env[i]; i++)
    if ((r = environment_add(&place.env, wish->env[i])) < 0) err_set(err, -r, "environment", "%s", "");
  if (r < 0)
    exec_place_free(&place);
  else
    *ret = place;
  return r;
}

void exec_place_free(struct exec_place *p) {
  int *const fds[] = {&p->payload, &p->root, &p->devpts};
  for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
    if (*fds[i] >= 0) close(*fds[i]);
    *fds[i] = -1;
  }
  environment_free(&p->env);
  bundle_free(&p->bundle);
}

static int set_stdio(const struct exec_wish *wish, struct exec_place *place, int slave) {
  if (slave >= 0) {
    if (ioctl(slave, TIOCSCTTY, 0) < 0) return -errno;
    for (int fd = 0; fd <= 2; fd++)
      if (dup2(slave, fd) < 0) return -errno;
  } else if (!wish->interactive) {
    cleanup_fd int null = inroot_open(place->root, "/dev/null", O_RDONLY | O_NONBLOCK | O_NOCTTY, INROOT);
    if (null < 0 || dup2(null, 0) < 0) return null < 0 ? null : -errno;
  }
  return close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

/* Not chdir(2): an image's working folder may be called /proc/self/fd/7 (CVE-2024-21626). */
static int enter_cwd(int root, const char *cwd, struct err *err) {
  cleanup_fd int dir = inroot_open(root, cwd, O_PATH | O_DIRECTORY, INROOT);
  if (dir < 0 || fchdir(dir) < 0) return err_set(err, dir < 0 ? -dir : errno, "cwd", "%s", cwd);
  return 0;
}

int exec_become(const struct exec_wish *wish, struct exec_place *place, const struct user *user, int slave, int *ret_exit,
                struct err *err) {
  const char *cwd = wish->cwd ? wish->cwd : place->bundle.cwd;
  cleanup_free char *path = NULL;
  *ret_exit = EXIT_PODRT;
  int r = identity_detach(err);
  if (r == 0 && (r = set_stdio(wish, place, slave)) < 0) err_set(err, -r, "stdio", "%s", "");
  if (r == 0) r = enter_cwd(place->root, cwd, err);
  if (r == 0 && (r = environment_defaults(&place->env, user->home, wish->tty)) < 0) err_set(err, -r, "environment", "%s", "");
  if (r == 0) r = identity_apply(&place->bundle, user, err);
  if (r < 0) return r;
  const struct command_wish command = {.root = place->root,
                                       .word = wish->args[0],
                                       .path = environment_get(&place->env, "PATH"),
                                       .cwd = cwd,
                                       .other_formats = place->other_formats};
  r = command_find(&command, &path, ret_exit, err);
  return r < 0 ? r : payload_exec(place->payload, path, wish->args, place->env.vars, err);
}
