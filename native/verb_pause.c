/* podrt pause: makes the user's one user namespace and holds it; what shares it outlives it (UNITS.md 5). */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "lib/deadline.h"
#include "lib/hold.h"
#include "lib/notify.h"
#include "lib/poduserns.h"
#include "lib/proc.h"
#include "lib/userns.h"
#include "verbs.h"

/* How long a namespace that cannot be made, or only with one id, is tried again: a start that fails cancels what waits for it for good
 * (UNITS.md 3). */
enum { PATIENCE_MS = 20 * 1000, RETRY_MS = 500 };

/* --- first stage: into the namespace --- */

/* The user's namespace as a living infra has it, or its pod's is a part of: a second one would split the user's running pods. */
static int open_living_infra(int run) {
  struct err ignored;
  cleanup_fd int pods = openat(run, "pods", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (pods < 0) return -ESRCH;
  DIR *list = fdopendir(pods);
  if (!list) return -errno;
  (void)steal_fd(&pods);
  int fd = -ESRCH;
  for (struct dirent *entry; fd < 0 && (entry = readdir(list));) {
    char infra[300];
    struct run_state state;
    if (entry->d_name[0] == '.') continue;
    snprintf(infra, sizeof infra, "pods/%s/_infra", entry->d_name);
    cleanup_fd int dir = run_open_at(run, infra, false, &ignored);
    if (dir < 0 || run_state_read(dir, &state, &ignored) < 0) continue;
    cleanup_fd int living = proc_open(&state.id);
    if (living >= 0) fd = poduserns_open_users(living, state.id.pid, &ignored);
  }
  closedir(list);
  return fd;
}

/*
 * The namespace that is in use already, if any: another pause's (one that was started by hand; either may end then), a
 * running pod's; else a new one.
 */
static int enter_namespace(int run, int64_t deadline, struct userns_map *map, struct err *err) {
  struct err ignored;
  cleanup_fd int other = userns_open_pause(run, &ignored);
  if (other >= 0 && userns_join(other, map, &ignored) == 0) return 0;
  cleanup_fd int infra = open_living_infra(run);
  if (infra >= 0 && userns_join(infra, map, &ignored) == 0) return 0;
  return userns_make(deadline, map, err);
}

static int enter_patiently(int run, struct userns_map *map, struct err *err) {
  const int64_t deadline = clock_ms() + PATIENCE_MS;
  for (;;) {
    int r = enter_namespace(run, deadline, map, err);
    if (r >= 0 || clock_ms() + RETRY_MS > deadline) return r;
    char status[700];
    snprintf(status, sizeof status, "STATUS=%s: %s, trying again", err->what, strerror(-r));
    (void)notify_send(status);
    (void)usleep(RETRY_MS * 1000);
  }
}

static int write_pid_file(int run, struct err *err) {
  uint64_t start;
  int r = proc_start_time(getpid(), &start);
  if (r < 0) return err_set(err, -r, "start time", "%s", "");
  char text[48];
  int len = snprintf(text, sizeof text, "%d %llu\n", (int)getpid(), (unsigned long long)start);
  r = write_file_atomic_at(run, "pause.pid", text, (size_t)len, 0600);
  return r < 0 ? err_set(err, -r, "write", "pause.pid") : 0;
}

static int start(struct err *err) {
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  /* Two that start at once must not make two namespaces. The lock goes with the exec. */
  cleanup_fd int lock = openat(run, "pause.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (lock < 0) return err_set(err, errno, "open", "pause.lock");
  while (flock(lock, LOCK_EX) < 0)
    if (errno != EINTR) return err_set(err, errno, "lock", "pause.lock");
  struct userns_map map;
  int r = enter_patiently(run, &map, err);
  if (r < 0) return r;
  if (map.single) {
    fprintf(stderr, "podrt: pause: warning: %s\n", map.reason);
    char status[512];
    snprintf(status, sizeof status, "STATUS=%s", map.reason);
    (void)notify_send(status);
  }
  r = write_pid_file(run, err);
  if (r < 0) return r;
  char *argv[] = {"podrt", "pause", "--hold", NULL};
  return hold_exec(argv, err);
}

/* --- second stage: holding it --- */

static bool file_names_us(int run) {
  cleanup_free char *text = NULL;
  int pid;
  return read_file_at(run, "pause.pid", 64, &text, NULL) == 0 && sscanf(text, "%d ", &pid) == 1 && pid == getpid();
}

static int hold(struct err *err) {
  sigset_t all;
  sigfillset(&all);
  if (sigprocmask(SIG_SETMASK, &all, NULL) < 0) return err_set(err, errno, "sigprocmask", "%s", "");
  int r = hold_protect("podrt-pause");
  if (r < 0) return err_set(err, -r, "prctl", "%s", "");
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  cleanup_fd int signals = signalfd(-1, &all, SFD_CLOEXEC);
  if (signals < 0) return err_set(err, errno, "signalfd", "%s", "");
  r = notify_send("READY=1");
  if (r < 0) return err_set(err, -r, "notify", "READY=1");
  for (;;) {
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) != sizeof info) continue;
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP) break;
    if (info.ssi_signo == SIGCHLD)
      while (waitpid(-1, NULL, WNOHANG) > 0) {
      }
  }
  /* Another pause may have taken the place. */
  if (file_names_us(run)) (void)unlinkat(run, "pause.pid", 0);
  return 0;
}

int verb_pause(int argc, char **argv) {
  bool holding = argc == 2 && !strcmp(argv[1], "--hold");
  if (argc != 1 && !holding) {
    fputs("usage: podrt pause\n", stderr);
    return 64;
  }
  struct err err;
  if ((holding ? hold(&err) : start(&err)) == 0) return 0;
  err_print(&err, "pause");
  return 125;
}
