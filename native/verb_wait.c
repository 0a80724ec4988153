/* podrt wait --ready … | --started … | --gone …: what pod-X.service waits for at its start and stop (UNITS.md 2), and a container for
 * sidecars. */
#include <fcntl.h>
#include <poll.h>

#include "lib/deadline.h"
#include "lib/mains.h"
#include "lib/proc.h"
#include "lib/started.h"
#include "verbs.h"

enum { GONE_SECONDS = 40 }; /* a container's default grace and 10 more */

/* --- ready, started --- */

static bool has(int dir, const char *name) {
  return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What is waited for: the mark `ready`, or another one that does as well. */
static bool is_there(int dir, const char *other) {
  return has(dir, "ready") || (other && has(dir, other));
}

/* Waits for ever, as the unit does: how long to wait is for who started it to say. SIGTERM ends us, being a stop of the unit. */
static int wait_marks(int run, char **folders, const char *other, struct err *err) {
  unsigned naps = 0;
  for (; *folders; folders++) {
    cleanup_fd int dir = run_open_at(run, *folders, true, err);
    if (dir < 0) return dir;
    for (; naps < NAPS_SECOND && !is_there(dir, other);) nap(&naps);
    if (is_there(dir, other)) continue;
    cleanup_fd int watch = watch_folder(dir);
    if (watch < 0) return err_set(err, -watch, "inotify", "%s", *folders);
    while (!is_there(dir, other)) {
      int r = watch_wait(watch, -1);
      if (r < 0 && r != -EINTR) return err_set(err, -r, "poll", "%s", *folders);
    }
  }
  return 0;
}

/* --- gone --- */

/* 0 when it ended before the deadline, or was not there at all. */
static int wait_end(int pidfd, int64_t deadline) {
  struct pollfd p = {.fd = pidfd, .events = POLLIN};
  for (;;) {
    int r = poll(&p, 1, deadline_left(deadline));
    if (r > 0) return 0;
    if (r == 0) return -ETIMEDOUT;
    if (errno != EINTR) return -errno;
  }
}

struct target {
  int dir, pidfd;
  struct proc_id id; /* the container's main process; 0, 0 when there is none */
};

/* Whom state.json names; 0, 0 where that cannot be read. */
static struct proc_id named(int dir) {
  struct err ignored;
  struct run_state state;
  return run_state_read(dir, &state, &ignored) < 0 ? (struct proc_id){0} : state.id;
}

/*
 * A container that is started again by a restart of the pod is the next stop's to wait for, and so is its mark. That may have happened
 * before we got to look: then its process is younger than we, who were started by the stop.
 */
static struct target target_of(int run, const char *folder, uint64_t own_start) {
  struct err ignored;
  struct target t = {.dir = run_open_at(run, folder, false, &ignored), .pidfd = -1};
  if (t.dir < 0) return t;
  t.id = named(t.dir);
  if (t.id.start >= own_start)
    close(steal_fd(&t.dir));
  else
    t.pidfd = proc_open(&t.id);
  return t;
}

static const char *const marks[] = {"ready", "started", STARTED_DONE};

/* The marks are the ended process's as long as nobody else has taken its place. */
static void unmark(const struct target *t) {
  const struct proc_id now = named(t->dir);
  if (now.pid != t->id.pid || now.start != t->id.start) return;
  for (size_t i = 0; i < N_ELEMENTS(marks); i++) (void)unlinkat(t->dir, marks[i], 0);
}

static int wait_gone(int run, char **folders, size_t n, int64_t deadline, struct err *err) {
  uint64_t own_start;
  cleanup_free struct target *targets = calloc(n, sizeof *targets);
  if (!targets) return err_set(err, ENOMEM, "wait", "%s", "");
  int own = proc_start_time(getpid(), &own_start);
  if (own < 0) return err_set(err, -own, "start time", "%s", "");
  for (size_t i = 0; i < n; i++) targets[i] = target_of(run, folders[i], own_start);
  int r = 0;
  mains_remove(run, folders);
  for (size_t i = 0; i < n; i++) {
    int ended = targets[i].pidfd < 0 ? 0 : wait_end(targets[i].pidfd, deadline);
    if (ended < 0) r = err_set(err, -ended, "wait", "%s", folders[i]);
    if (ended == 0 && targets[i].dir >= 0) unmark(&targets[i]);
    if (targets[i].pidfd >= 0) close(targets[i].pidfd);
    if (targets[i].dir >= 0) close(targets[i].dir);
  }
  return r;
}

/* --- words --- */

struct words {
  bool ready, started, gone, once;
  long seconds;
  char **sidecars; /* room for all words */
  size_t n_sidecars;
};

static int usage(void) {
  fputs("usage: podrt wait --ready [--once] [--sidecar RUNDIR]… RUNDIR… | --started RUNDIR… | --gone [--timeout SECONDS] RUNDIR…\n",
        stderr);
  return 64;
}

static bool parse_seconds(const char *text, long *ret) {
  char *end;
  if (!text || *text < '0' || *text > '9') return false;
  errno = 0;
  *ret = strtol(text, &end, 10);
  return !*end && !errno && *ret <= 1000000;
}

/* Where the run folders begin; 0 for what the usage does not know. */
static int parse(int argc, char **argv, struct words *w) {
  int i = 1;
  for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
    if (!strcmp(argv[i], "--ready"))
      w->ready = true;
    else if (!strcmp(argv[i], "--started"))
      w->started = true;
    else if (!strcmp(argv[i], "--gone"))
      w->gone = true;
    else if (!strcmp(argv[i], "--once"))
      w->once = true;
    else if (!strcmp(argv[i], "--sidecar") && i + 1 < argc)
      w->sidecars[w->n_sidecars++] = argv[++i];
    else if (strcmp(argv[i], "--timeout") || !parse_seconds(argv[++i], &w->seconds))
      return 0;
  }
  const bool one = w->ready + w->started + w->gone == 1;
  return !one || ((w->once || w->n_sidecars) && !w->ready) || i >= argc ? 0 : i;
}

/* The pod's unit itself says whose pod it is (mains.h); a container's that waits for a sidecar does not. */
static int wait_ready(int run, char **folders, const struct words *w, struct err *err) {
  int r = mains_write(run, folders, w->sidecars, err);
  if (r == 0) r = wait_marks(run, folders, w->once ? STARTED_DONE : NULL, err);
  return r < 0 || !w->n_sidecars ? r : wait_marks(run, w->sidecars, w->once ? STARTED_DONE : NULL, err);
}

int verb_wait(int argc, char **argv) {
  cleanup_free char **sidecars = calloc((size_t)argc + 1, sizeof *sidecars);
  struct words w = {.seconds = GONE_SECONDS, .sidecars = sidecars};
  const int at = sidecars ? parse(argc, argv, &w) : 0;
  if (!at) return usage();
  struct err err;
  char **folders = argv + at;
  cleanup_fd int run = run_open(&err);
  int r = run;
  if (r >= 0 && w.ready) r = wait_ready(run, folders, &w, &err);
  if (r >= 0 && w.started) r = wait_marks(run, folders, "started", &err);
  if (r >= 0 && w.gone) r = wait_gone(run, folders, (size_t)(argc - at), clock_ms() + w.seconds * 1000, &err);
  if (r >= 0) return 0;
  err_print(&err, "wait");
  return 125;
}
