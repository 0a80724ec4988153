/* podrt refresh RUNDIR: the files of a container that runs become what its bundle says by now, without a restart (livefiles.h). */
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/joinpod.h"
#include "lib/livefiles.h"
#include "lib/started.h"
#include "verbs.h"

struct refresh {
  struct bundle bundle;
  struct livefiles *content; /* one per live entry of the bundle */
  size_t n;
  int run, dir, pidfd, mountinfo;
  struct proc_id id;
};

static int load(struct refresh *f, struct err *err) {
  int r = 0;
  f->content = calloc(f->bundle.n_files + 1, sizeof *f->content);
  if (!f->content) return err_set(err, ENOMEM, "files", "%s", "");
  for (size_t i = 0; r == 0 && i < f->bundle.n_files; i++)
    if (f->bundle.files[i].live && (r = livefiles_load(&f->bundle.files[i], &f->content[f->n], err)) == 0) f->n++;
  return r;
}

/* Into the container's namespaces; what is of the host's was opened before. */
static int enter(struct refresh *f, struct err *err) {
  cleanup_fd int infra_dir = -1;
  pid_t infra_pid;
  cleanup_fd int infra = joinpod_open(f->run, f->bundle.join, &infra_dir, &infra_pid, err);
  if (infra < 0) return infra;
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/mountinfo", (int)f->id.pid);
  f->mountinfo = open(path, O_RDONLY | O_CLOEXEC);
  if (f->mountinfo < 0) return err_set(err, errno, "open", "%s", path);
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "%s", "");
  const struct joinpod_container c = {.infra = infra, .pidfd = f->pidfd, .infra_pid = infra_pid, .pid = f->id.pid};
  return joinpod_enter_container(&c, &f->bundle.ids, err);
}

static int put_all(struct refresh *f, struct err *err) {
  cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) return err_set(err, errno, "open", "/ of the container");
  int r = 0;
  for (size_t i = 0; r == 0 && i < f->n; i++) {
    cleanup_fd int fs = livefiles_open(root, f->mountinfo, f->content[i].files->destination, err);
    r = fs < 0 ? fs : livefiles_put(fs, &f->content[i], err);
  }
  return r;
}

/* 0 also where it does not run: its next start reads the bundle. */
static int refresh(struct refresh *f, const char *run_dir, struct err *err) {
  struct run_state state;
  f->run = run_open(err);
  if (f->run < 0) return f->run;
  f->dir = run_open_at(f->run, run_dir, false, err);
  if (f->dir < 0) return f->dir == -ENOENT ? 0 : f->dir;
  cleanup_free char *folder = NULL;
  int r = started_read(f->dir, &f->id, &folder, err);
  if (r < 0) return r == -ENOENT ? 0 : r;
  f->pidfd = proc_open(&f->id);
  if (f->pidfd < 0) return f->pidfd == -ESRCH ? 0 : err_set(err, -f->pidfd, "container", "%s", run_dir);
  r = bundle_read(folder, &f->bundle, err);
  if (r == 0) r = run_state_read(f->dir, &state, err);
  if (r < 0) return r;
  if (strcmp(state.digest, f->bundle.digest))
    return err_set(err, 0, "container", "%s was started from another bundle: restart it", run_dir);
  if (f->bundle.ids.own) return err_set(err, 0, "container", "%s is in a user namespace of the pod's own: restart it", run_dir);
  r = load(f, err);
  if (r == 0) r = enter(f, err);
  if (r == 0) r = put_all(f, err);
  if (r == 0) r = started_refreshed(f->dir, f->bundle.live_digest, err);
  if (r == 0 && f->bundle.reload_signal && syscall(SYS_pidfd_send_signal, f->pidfd, f->bundle.reload_signal, NULL, 0) < 0 && errno != ESRCH)
    r = err_set(err, errno, "signal", "%d", f->bundle.reload_signal);
  return r;
}

int verb_refresh(int argc, char **argv) {
  if (argc != 2 || argv[1][0] == '-') {
    fputs("usage: podrt refresh RUNDIR\n", stderr);
    return 64;
  }
  struct err err;
  struct refresh f = {.run = -1, .dir = -1, .pidfd = -1, .mountinfo = -1};
  umask(022);
  int r = refresh(&f, argv[1], &err);
  for (size_t i = 0; i < f.n; i++) livefiles_free(&f.content[i]);
  free(f.content);
  bundle_free(&f.bundle);
  const int fds[] = {f.run, f.dir, f.pidfd, f.mountinfo};
  for (size_t i = 0; i < N_ELEMENTS(fds); i++)
    if (fds[i] >= 0) close(fds[i]);
  if (r >= 0) return 0;
  err_print(&err, "refresh");
  return 125;
}
