/* podrt infra --bundle DIR: the pod's pause process. Owns the pod's namespaces and relays the output of its containers. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

#include "lib/backoff.h"
#include "lib/complain.h"
#include "lib/connecting.h"
#include "lib/deadline.h"
#include "lib/hold.h"
#include "lib/infra_conf.h"
#include "lib/join.h"
#include "lib/keep.h"
#include "lib/notify.h"
#include "lib/nskeep.h"
#include "lib/podfiles.h"
#include "lib/podinit.h"
#include "lib/podloop.h"
#include "lib/podns.h"
#include "lib/poduserns.h"
#include "lib/proc.h"
#include "lib/userns.h"
#include "lib/volgroup.h"
#include "verbs.h"

/* Pause may be starting again: better waited for than failed at, which costs a back-off. */
enum { PAUSE_PATIENCE_MS = 30 * 1000 };

static void warn(const char *text) {
  fprintf(stderr, "podrt: infra: warning: %s\n", text);
}

/* --- first stage: makes what the pod shares --- */

static int open_pause_patiently(int run, struct err *err) {
  int fd = userns_open_pause(run, err);
  if (fd != -ESRCH) return fd; /* as nearly always; an inotify descriptor costs 10 ms when it is closed */
  const int64_t deadline = clock_ms() + PAUSE_PATIENCE_MS;
  cleanup_fd int watch = watch_folder(run);
  if (watch < 0) return err_set(err, -watch, "inotify", "%s", "");
  for (;;) {
    fd = userns_open_pause(run, err);
    if (fd != -ESRCH) return fd;
    int r = watch_wait(watch, deadline);
    if (r == -ETIMEDOUT) return err_set(err, ESRCH, "pause", "podgen-pause.service does not run");
  }
}

static int write_files(const struct infra_conf *conf, struct err *err) {
  cleanup_fd int dir = join_folder(conf->run_dir, err);
  int r = dir < 0 ? dir : volgroup_forget(dir, err);
  return r < 0 ? r : podfiles_write(dir, conf, err);
}

/* The namespaces and files of a pod that starts. */
static int make_pod(int run, const struct infra_conf *conf, struct err *err) {
  cleanup_fd int pause_fd = open_pause_patiently(run, err);
  if (pause_fd < 0) return pause_fd;
  /* From here on we are root in the user's namespace: the namespaces made now belong to it. */
  struct userns_map map;
  umask(022);
  int r = userns_join(pause_fd, &map, err);
  if (r == 0) r = write_files(conf, err);
  if (r == 0 && conf->ids.own) r = poduserns_make(&conf->ids, err);
  if (r == 0) r = podns_make(conf, warn, err);
  if (r < 0) return r;
  /* Opened here, in the mount namespace that is to have mounts on it. */
  cleanup_fd int dir = join_folder(conf->run_dir, err);
  if (dir < 0) return dir;
  r = podfiles_mount(dir, conf, err);
  return r == 0 && conf->network && conf->pasta ? connecting_begin(dir, err) : r;
}

/* Returns on failure only: else the process goes on as the second stage. */
static int start_pod(const struct infra_conf *conf, struct err *err) {
  struct kept kept;
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  /* Whatever follows needs it. */
  cleanup_fd int dir = run_open_at(run, conf->run_dir, true, err);
  if (dir < 0) return dir;
  int r = kept_read(true, &kept);
  if (r < 0) return err_set(err, -r, "keep", "%s", "");
  /* Our containers may live, and use those files and volumes. */
  r = nskeep_join(&kept, conf, err);
  kept_free(&kept);
  if (r == 0) r = make_pod(run, conf, err);
  if (r < 0) return r;
  char init[16] = "0";
  if (conf->pid) {
    pid_t pid = podinit_start(conf->run_dir, err);
    if (pid < 0) return pid;
    snprintf(init, sizeof init, "%d", (int)pid);
  }
  if (conf->ids.own && (r = poduserns_keep_capabilities(err)) < 0) return r;
  char *argv[] = {"podrt", "infra", "--hold", (char *)conf->run_dir, (char *)conf->digest, init, NULL};
  return hold_exec(argv, err);
}

static int start(const char *bundle, struct err *err) {
  struct infra_conf conf;
  int r = infra_conf_read(bundle, &conf, err);
  if (r < 0) return r;
  r = start_pod(&conf, err);
  infra_conf_free(&conf);
  return r;
}

/* --- second stage: holds it --- */

static int hold(const char *run_dir, const char *digest, pid_t init, struct err *err) {
  sigset_t all;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0) return err_set(err, errno, "sigprocmask", "%s", "");
  int r = hold_protect("podrt-infra");
  if (r < 0) return err_set(err, -r, "prctl", "%s", "");
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  cleanup_fd int dir = run_open_at(run, run_dir, false, err);
  if (dir < 0) return dir;
  /* The pid may be another one by now, inside a namespace; they came through our own exec. */
  struct kept kept;
  r = kept_read(false, &kept);
  if (r < 0) return err_set(err, -r, "keep", "%s", "");
  r = podloop_run(dir, digest, init, &kept, err);
  kept_free(&kept);
  return r;
}

int verb_infra(int argc, char **argv) {
  struct err err;
  int r;
  if (argc == 3 && !strcmp(argv[1], "--bundle")) {
    r = start(argv[2], &err);
  } else if (argc == 5 && !strcmp(argv[1], "--hold")) {
    r = hold(argv[2], argv[3], (pid_t)strtol(argv[4], NULL, 10), &err);
  } else {
    fputs("usage: podrt infra --bundle DIR\n", stderr);
    return 64;
  }
  if (r == 0) return 0;
  complain(&err, "infra", NULL, NULL);
  /* One that was killed is back at once; one that cannot start is not tried ten times a second for ever. */
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL); /* hold() blocks them; a stop ends the wait */
  backoff_failed();
  return 125;
}
