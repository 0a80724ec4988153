/* The runner of a container's probes: see proberun.h. */
#include "proberun.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "complain.h"
#include "deadline.h"
#include "notify.h"
#include "proberecord.h"
#include "probetry.h"
#include "started.h"

/* How long a child may take beyond a probe's time-out to say so itself; and a container beyond its grace. */
enum { LATE_MS = 1000, KILL_LATE_MS = 10 * 1000 };

struct watch {
  pid_t pid;  /* of the try that runs; 0: none */
  int report; /* its pipe */
  int64_t begun, next;
};

struct runner {
  const struct probe_spec *s;
  const char *bundle;
  int dir, main, signals;
  struct proc_id id;
  int64_t started_ms; /* the container's start, on clock_ms() */
  struct probe_record records[PROBE_KINDS];
  struct watch watches[PROBE_KINDS];
  bool started, ready, said_ready, ended, killing, stop;
  pid_t killer;
  int64_t kill_by;
};

/* --- telling --- */

static void journal(const struct runner *r, int priority, enum probe_kind kind, const char *what, const char *message) {
  cleanup_free char *line = xformat("podrt: %s probe %s%s%s", probe_word(kind), what, *message ? ": " : "", message);
  if (line) complain_as(priority, line, r->s->unit, r->s->identifier);
}

/* The one line of `systemctl status`: what is wrong, else what is. */
static void say(const struct runner *r) {
  char text[PROBE_MESSAGE_MAX + 160];
  const char *state = r->ended      ? "the container has ended"
                      : r->killing  ? "ending the container"
                      : !r->started ? "starting"
                      : r->ready    ? "ready"
                                    : "not ready";
  int n = snprintf(text, sizeof text, "STATUS=%s", state);
  for (int k = 0; k < PROBE_KINDS && n < (int)sizeof text; k++) {
    const struct probe_record *p = &r->records[k];
    if (!r->s->probes[k].declared || !*p->message) continue;
    n += snprintf(text + n, sizeof text - (size_t)n, "; %s probe %s (%u of %u): %s", probe_word((enum probe_kind)k),
                  p->count.last == PROBE_UNKNOWN ? "could not be tried" : "failed", p->count.run, r->s->probes[k].timing.failure,
                  p->message);
  }
  (void)notify_send(text);
}

static void record(const struct runner *r) {
  struct err err;
  if (probe_record_write(r->dir, &r->id, r->s, r->records, r->started, r->ready, &err) < 0)
    complain_warning(&err, "probe", r->s->unit, r->s->identifier, "status will not know");
}

/* --- readiness --- */

static void set_ready(struct runner *r, bool ready) {
  struct err err;
  r->ready = ready;
  if (r->s->gated && !ready) (void)unlinkat(r->dir, "ready", 0);
  /* Without a say in it, too: probes that had one may have been here before. */
  if (ready && started_mark(r->dir, &err) < 0) complain(&err, "probe", r->s->unit, r->s->identifier);
  if (!ready || r->said_ready) return;
  r->said_ready = true;
  (void)notify_send("READY=1");
}

/* Ready is what has started, and passes its readiness probe if it has one. */
static void decide(struct runner *r) {
  const bool passes = !r->s->probes[PROBE_READINESS].declared || r->records[PROBE_READINESS].count.state == PROBE_OK;
  const bool ready = r->started && passes && !r->ended && !r->killing;
  if (ready != r->ready) set_ready(r, ready);
}

/* For what waits for a sidecar that has started, be it ready or not (verb_wait.c). */
static void mark_started(const struct runner *r) {
  cleanup_fd int fd = r->started ? openat(r->dir, "started", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;
  if (!r->started) (void)unlinkat(r->dir, "started", 0);
}

/* --- tries --- */

static bool is_wanted(const struct runner *r, enum probe_kind k) {
  if (!r->s->probes[k].declared || r->ended || r->killing) return false;
  return k == PROBE_STARTUP ? !r->started : r->started;
}

static void begin(struct runner *r, enum probe_kind k, int64_t now) {
  struct watch *w = &r->watches[k];
  int ends[2];
  w->begun = now;
  if (pipe2(ends, O_CLOEXEC) < 0) return;
  const pid_t pid = fork();
  if (pid == 0) {
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    close(ends[0]);
    probe_try_child(r->s, &r->s->probes[k], ends[1]);
  }
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return;
  }
  w->pid = pid;
  w->report = ends[0];
}

/* SIGTERM first: a try by exec then kills what it has executed in the container. */
static void give_up(struct watch *w, int number) {
  if (w->pid > 0) (void)kill(w->pid, number);
}

static void finish(struct watch *w) {
  close(w->report);
  w->report = -1;
  give_up(w, SIGTERM);
  w->pid = 0; /* reaped with all others */
}

static void end_container(struct runner *r, enum probe_kind kind);

static void count(struct runner *r, enum probe_kind k, const struct probe_report *said) {
  struct probe_record *p = &r->records[k];
  const struct probe_count before = p->count;
  const bool differs = strncmp(p->message, said->message, sizeof said->message) != 0;
  const bool changed = probe_count_add(&p->count, &r->s->probes[k].timing, (enum probe_state)said->state);
  snprintf(p->message, sizeof p->message, "%s", said->message);
  if (said->state != PROBE_UNKNOWN) p->at = (int64_t)time(NULL);
  if (said->state == PROBE_BAD && p->count.run == 1) journal(r, 5, k, "failed", p->message);
  if (said->state == PROBE_UNKNOWN && differs) journal(r, 4, k, "could not be tried", p->message);
  if (changed && k == PROBE_STARTUP && p->count.state == PROBE_OK) {
    r->started = true;
    mark_started(r);
  }
  if (changed && k == PROBE_READINESS && p->count.state == PROBE_BAD) journal(r, 4, k, "failed, not ready", p->message);
  if (changed && before.state == PROBE_BAD && p->count.state == PROBE_OK) journal(r, 6, k, "succeeds again", "");
  decide(r);
  if (changed && k != PROBE_READINESS && p->count.state == PROBE_BAD) end_container(r, k);
  /* A success after a success is no news. */
  if (!changed && !differs && said->state == PROBE_OK && p->count.run > 1) return;
  record(r);
  say(r);
}

static void on_report(struct runner *r, enum probe_kind k) {
  struct probe_report said = {.state = PROBE_UNKNOWN};
  struct watch *w = &r->watches[k];
  const ssize_t n = read(w->report, &said, sizeof said);
  if (n < 0 && errno == EINTR) return;
  if (n != (ssize_t)sizeof said) said = (struct probe_report){.state = PROBE_UNKNOWN, .message = "the process that tried it was ended"};
  said.message[sizeof said.message - 1] = 0;
  finish(w);
  /* One that was under way when it was no longer wanted counts for nothing. */
  if (is_wanted(r, k)) count(r, k, &said);
}

static void on_late(struct runner *r, enum probe_kind k) {
  struct watch *w = &r->watches[k];
  give_up(w, SIGTERM);
  give_up(w, SIGKILL);
  finish(w);
  const struct probe_report said = {.state = PROBE_BAD, .message = "timed out"};
  if (is_wanted(r, k)) count(r, k, &said);
}

/* --- the end of the container --- */

static void become_hook(const struct runner *r, unsigned grace) {
  char seconds[16];
  snprintf(seconds, sizeof seconds, "%u", grace);
  sigset_t none;
  sigemptyset(&none);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  execl("/proc/self/exe", "podrt", "hook", "--pre-stop", "--grace", seconds, "--signal", r->s->stop_signal, "--bundle", r->bundle,
        (char *)NULL);
  _exit(125);
}

static void kill_main(const struct runner *r) {
  (void)syscall(SYS_pidfd_send_signal, r->main, SIGKILL, NULL, 0);
}

/* As a stop does it: the hook, the signal, the grace, SIGKILL; the grace may be the probe's own. */
static void end_container(struct runner *r, enum probe_kind kind) {
  const struct probe *p = &r->s->probes[kind];
  const struct probe_record *record_of = &r->records[kind];
  struct err err;
  char what[80];
  if (r->killing) return;
  r->killing = true;
  decide(r);
  snprintf(what, sizeof what, "failed %u times, ending the container%s", record_of->count.run, r->s->restarts ? " to start it again" : "");
  journal(r, 4, kind, what, record_of->message);
  if (probe_killed_write(r->dir, &r->id, kind, record_of->message, &err) < 0)
    complain_warning(&err, "probe", r->s->unit, r->s->identifier, "ending the container all the same");
  for (int k = 0; k < PROBE_KINDS; k++) give_up(&r->watches[k], SIGTERM);
  r->kill_by = clock_ms() + (int64_t)p->grace * 1000 + KILL_LATE_MS;
  r->killer = p->grace ? fork() : -1;
  if (r->killer == 0) become_hook(r, p->grace);
  if (r->killer < 0) kill_main(r);
}

static void on_end(struct runner *r) {
  r->ended = true;
  (void)unlinkat(r->dir, "started", 0);
  decide(r);
  for (int k = 0; k < PROBE_KINDS; k++) give_up(&r->watches[k], SIGTERM);
  record(r);
  say(r);
}

/* --- the loop --- */

static void on_signals(struct runner *r) {
  struct signalfd_siginfo info;
  while (read(r->signals, &info, sizeof info) == sizeof info)
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) r->stop = true;
  pid_t pid;
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
    if (pid == r->killer) r->killer = 0;
}

/* Starts what is due; returns when something is to be done next, -1: nothing by the clock. */
static int64_t begin_due(struct runner *r) {
  const int64_t now = clock_ms();
  int64_t next = r->killing && !r->ended ? r->kill_by : -1;
  if (next >= 0 && now >= next) {
    kill_main(r);
    next = r->kill_by = now + KILL_LATE_MS;
  }
  for (int k = 0; k < PROBE_KINDS; k++) {
    struct watch *w = &r->watches[k];
    const struct probe_timing *t = &r->s->probes[k].timing;
    if (!w->pid && is_wanted(r, (enum probe_kind)k)) {
      if (w->next < 0) w->next = probe_due(t, r->started_ms, w->begun, now);
      if (w->next <= now) {
        begin(r, (enum probe_kind)k, now);
        w->next = -1;
      }
    }
    int64_t at = -1;
    if (w->pid) at = w->begun + (int64_t)t->timeout * 1000 + LATE_MS;
    if (w->pid && now >= at) {
      on_late(r, (enum probe_kind)k);
      at = now;
    }
    if (!w->pid && is_wanted(r, (enum probe_kind)k)) at = w->next < 0 ? probe_due(t, r->started_ms, w->begun, now) : w->next;
    if (at >= 0 && (next < 0 || at < next)) next = at;
  }
  return next;
}

static int loop(struct runner *r, struct err *err) {
  while (!r->stop) {
    const int64_t next = begin_due(r);
    struct pollfd p[2 + PROBE_KINDS] = {{.fd = r->signals, .events = POLLIN}, {.fd = r->ended ? -1 : r->main, .events = POLLIN}};
    for (int k = 0; k < PROBE_KINDS; k++) p[2 + k] = (struct pollfd){.fd = r->watches[k].report, .events = POLLIN};
    if (poll(p, N_ELEMENTS(p), deadline_left(next)) < 0 && errno != EINTR) return err_set(err, errno, "poll", "%s", "");
    for (int k = 0; k < PROBE_KINDS; k++)
      if (p[2 + k].revents) on_report(r, (enum probe_kind)k);
    if (p[1].revents) on_end(r);
    if (p[0].revents) on_signals(r);
  }
  return 0;
}

/* SIGCHLD by the signalfd: it only wakes us. */
static int open_signals(void) {
  const int numbers[] = {SIGTERM, SIGINT, SIGCHLD};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < N_ELEMENTS(numbers); i++) sigaddset(&set, numbers[i]);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
  const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

/* The container's process. One that is gone already ends with us: our unit is bound to its. */
static int find(struct runner *r, struct err *err) {
  struct run_state state;
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  r->dir = run_open_at(run, r->s->run_dir, false, err);
  int result = r->dir < 0 ? r->dir : run_state_read(r->dir, &state, err);
  if (result < 0) return result;
  r->id = state.id;
  const int64_t age = (int64_t)time(NULL) - state.started_at;
  r->started_ms = clock_ms() - (age > 0 && age < 1 << 30 ? age * 1000 : 0);
  r->main = proc_open(&state.id);
  r->ended = r->main < 0;
  return 0;
}

int probe_run(const struct probe_spec *s, const char *bundle, struct err *err) {
  struct runner r = {.s = s, .bundle = bundle, .dir = -1, .main = -1};
  for (int k = 0; k < PROBE_KINDS; k++) r.watches[k] = (struct watch){.report = -1, .begun = -1, .next = -1};
  r.signals = open_signals();
  int result = r.signals < 0 ? err_set(err, -r.signals, "signals", "%s", "") : find(&r, err);
  if (result == 0) {
    r.started = !s->probes[PROBE_STARTUP].declared || probe_record_started(r.dir, &r.id);
    if (r.started && s->probes[PROBE_STARTUP].declared) r.records[PROBE_STARTUP].count = (struct probe_count){PROBE_OK, PROBE_OK, 1};
    /* Whoever was here before is not known to have been right about this moment. */
    if (s->gated) (void)unlinkat(r.dir, "ready", 0);
    mark_started(&r);
    decide(&r);
    record(&r);
    say(&r);
    result = loop(&r, err);
  }
  if (s->gated && r.dir >= 0) (void)unlinkat(r.dir, "ready", 0);
  for (int k = 0; k < PROBE_KINDS; k++) {
    give_up(&r.watches[k], SIGTERM);
    if (r.watches[k].report >= 0) close(r.watches[k].report);
  }
  int *const fds[] = {&r.dir, &r.main, &r.signals};
  for (size_t i = 0; i < N_ELEMENTS(fds); i++)
    if (*fds[i] >= 0) close(*fds[i]);
  return result;
}
