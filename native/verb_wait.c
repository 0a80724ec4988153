/* podrt wait --ready RUNDIR… | --gone [--timeout SECONDS] RUNDIR…: what pod-X.service waits for at its start and stop (UNITS.md 2). */
#include <fcntl.h>
#include <poll.h>

#include "lib/deadline.h"
#include "lib/mains.h"
#include "lib/proc.h"
#include "verbs.h"

enum { GONE_SECONDS = 40 }; /* a container's default grace and 10 more */

/* --- ready --- */

static bool is_ready(int dir) {
  return faccessat(dir, "ready", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Waits for ever, as the unit does: how long to wait is for who started it to say. SIGTERM ends us, being a stop of the unit. */
static int wait_ready(int run, char **folders, struct err *err) {
  unsigned naps = 0;
  int w = mains_write(run, folders, err);
  if (w < 0) return w;
  for (; *folders; folders++) {
    cleanup_fd int dir = run_open_at(run, *folders, true, err);
    if (dir < 0) return dir;
    for (; naps < NAPS_SECOND && !is_ready(dir);) nap(&naps);
    if (is_ready(dir)) continue;
    cleanup_fd int watch = watch_folder(dir);
    if (watch < 0) return err_set(err, -watch, "inotify", "%s", *folders);
    while (!is_ready(dir)) {
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

/* The mark is the ended process's as long as nobody else has taken its place. */
static void unmark(const struct target *t) {
  const struct proc_id now = named(t->dir);
  if (now.pid == t->id.pid && now.start == t->id.start) (void)unlinkat(t->dir, "ready", 0);
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

static int usage(void) {
  fputs("usage: podrt wait --ready RUNDIR… | --gone [--timeout SECONDS] RUNDIR…\n", stderr);
  return 64;
}

static bool parse_seconds(const char *text, long *ret) {
  char *end;
  if (!text || *text < '0' || *text > '9') return false;
  errno = 0;
  *ret = strtol(text, &end, 10);
  return !*end && !errno && *ret <= 1000000;
}

int verb_wait(int argc, char **argv) {
  bool ready = false, gone = false;
  long seconds = GONE_SECONDS;
  int i = 1;
  for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
    if (!strcmp(argv[i], "--ready"))
      ready = true;
    else if (!strcmp(argv[i], "--gone"))
      gone = true;
    else if (strcmp(argv[i], "--timeout") || !parse_seconds(argv[++i], &seconds))
      return usage();
  }
  if (ready == gone || i >= argc) return usage();
  struct err err;
  cleanup_fd int run = run_open(&err);
  int r = run;
  if (r >= 0) r = ready ? wait_ready(run, argv + i, &err) : wait_gone(run, argv + i, (size_t)(argc - i), clock_ms() + seconds * 1000, &err);
  if (r >= 0) return 0;
  err_print(&err, "wait");
  return 125;
}
