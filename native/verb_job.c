/*
 * podrt job FILE: runs a Job's pods to their ends (lib/jobdecide.h), as the main process of podgen-job-NAME.service. Ends with 0 when the
 * Job is over, however: that it failed is the Job's result, told in its state, the journal and the unit's status text. 78: a file that no
 * second try makes better.
 */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <time.h>

#include "lib/complain.h"
#include "lib/deadline.h"
#include "lib/jobseen.h"
#include "lib/manager.h"
#include "lib/notify.h"
#include "lib/ownunit.h"
#include "lib/proc.h"
#include "verbs.h"

enum { EXIT_BAD_FILE = 78 };
/* Milliseconds. Until a stop that was asked for is looked for again, at first and at most; until all is looked at without an event. */
enum { SOON = 20, LATER = 1000, BACKSTOP = 30 * 1000, RETRY = 5000 };

struct controller {
  struct job_spec spec;
  struct job_state state, before; /* before: as it was when the turn began */
  struct job_seen *seen;
  struct job_actions actions;
  int run, inotify, signals;
  time_t started; /* by the clock on the wall, */
  int64_t since;  /* and by one that nobody sets */
  bool first;
  int pause; /* SOON to LATER */
};

static int64_t now(const struct controller *c) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return c->started + (t.tv_sec - c->since);
}

/* --- saying --- */

static void __attribute__((format(printf, 3, 4))) say(const struct controller *c, int priority, const char *fmt, ...) {
  char text[512];
  va_list args;
  va_start(args, fmt);
  (void)vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  cleanup_free char *line = xformat("podrt: job %s: %s", c->spec.name, text);
  if (line) complain_line(priority, line);
}

static void trouble(const struct err *err) {
  complain(err, "job", NULL, NULL);
}

/* What systemctl status shows. */
static void show(const struct controller *c) {
  const struct job_state *s = &c->state;
  size_t up = 0;
  for (size_t i = 0; i < s->n; i++) up += s->runs[i].up;
  char of[32] = "";
  if (c->spec.completions != JOB_NONE) snprintf(of, sizeof of, " of %lld", (long long)c->spec.completions);
  cleanup_free char *text = xformat("READY=1\nSTATUS=%s%s%s: %lld%s succeeded, %zu active, %lld failed", job_phase_word(s->phase),
                                    s->reason[0] ? ", " : "", s->reason, (long long)s->succeeded, of, up, (long long)s->failed);
  if (text) (void)notify_send(text);
}

/* What has become of slots that were up. */
static void tell_ends(const struct controller *c) {
  for (size_t i = 0; i < c->spec.n_slots; i++) {
    const struct job_seen *seen = &c->seen[i];
    const char *pod = c->spec.slots[i].pod;
    char why[160];
    if (!c->before.runs[i].up || (c->state.runs[i].up && !c->actions.start[i])) continue;
    if (seen->state == JOB_SLOT_SUCCEEDED) {
      say(c, 6, "pod %s succeeded", pod);
    } else if (seen->state == JOB_SLOT_DOWN && c->state.streak == c->before.streak) {
      say(c, 6, "pod %s went down while no controller was there: it begins again", pod);
    } else if (seen->state == JOB_SLOT_FAILED || seen->state == JOB_SLOT_DOWN) {
      job_seen_text(seen, why, sizeof why);
      say(c, 4, "pod %s failed: %s", pod, why);
    }
  }
}

static void tell_phase(const struct controller *c) {
  const struct job_state *s = &c->state;
  if (s->phase == c->before.phase) return;
  const char *message = s->message[0] ? ": " : "";
  if (s->phase == JOB_FAILED)
    say(c, 3, "%s: %s%s%s", job_phase_word(s->phase), s->reason, message, s->message);
  else
    say(c, 5, "%s%s%s", job_phase_word(s->phase), message, s->message);
}

/* --- a turn --- */

static int look(struct controller *c, struct err *err) {
  for (size_t i = 0; i < c->spec.n_slots; i++) {
    /* What was down and is nobody's stays so: a Job may have a thousand slots, and two that are up. */
    if (!c->first && !c->state.runs[i].up && c->seen[i].state == JOB_SLOT_DOWN) continue;
    /* First: what comes after the look must be an event. */
    if (c->inotify >= 0 && c->state.runs[i].up) job_watch(c->inotify, c->run, &c->spec.slots[i]);
    job_seen_free(&c->seen[i]);
    int r = job_look(c->run, &c->spec, i, c->state.runs[i].up, &c->seen[i], err);
    if (r < 0) return r;
  }
  return 0;
}

/* Each slot by itself: what cannot be done with one is seen, and tried again, at the next turn. */
static bool act(struct controller *c) {
  bool acted = false;
  struct err err;
  for (size_t i = 0; i < c->spec.n_slots; i++) {
    const struct job_slot *slot = &c->spec.slots[i];
    acted = acted || c->actions.start[i] || c->actions.stop[i];
    if (c->actions.stop[i] && job_stop(slot, &err) < 0) trouble(&err);
    if (!c->actions.start[i]) continue;
    say(c, 6, "starting pod %s, attempt %lld", slot->pod, (long long)c->state.runs[i].attempt);
    if (job_start(slot, &err) < 0) trouble(&err);
    if (c->inotify >= 0) job_watch(c->inotify, c->run, slot);
  }
  if (c->state.phase == JOB_EXPIRED && c->before.phase != JOB_EXPIRED)
    for (size_t i = 0; i < c->spec.n_slots; i++)
      if (job_clear(&c->spec.slots[i], &err) < 0) trouble(&err);
  return acted;
}

/* What goes down with the machine, or the session, was not disrupted: our own SIGTERM is on its way. */
static bool is_ending(const struct controller *c) {
  bool down = false;
  for (size_t i = 0; i < c->spec.n_slots; i++) down = down || (c->state.runs[i].up && c->seen[i].state == JOB_SLOT_DOWN);
  return down && manager_is_ending();
}

/* Looks, decides, and writes that down: nothing is done that a later controller would not know of. On an error all is as it was. */
static int decide(struct controller *c, struct err *err) {
  int r = look(c, err);
  if (r < 0) return r;
  if (is_ending(c)) return err_set(err, 0, "wait", "%s", "the user's systemd is going down"), -ESHUTDOWN;
  job_state_copy(&c->before, &c->state);
  job_decide(&c->spec, &c->state, c->seen, c->first, now(c), &c->actions);
  r = c->actions.changed ? job_state_write(&c->spec, &c->state, err) : 0;
  if (r < 0)
    job_state_copy(&c->state, &c->before);
  else
    c->first = false;
  return r;
}

/* Milliseconds until the next turn; -1: the Job is over. */
static int turn(struct controller *c) {
  struct err err;
  if (decide(c, &err) < 0) {
    trouble(&err);
    return RETRY;
  }
  if (c->actions.changed) {
    tell_ends(c);
    tell_phase(c);
  }
  show(c);
  const bool acted = act(c);
  if (c->actions.over) return -1;
  bool waiting = acted;
  for (size_t i = 0; i < c->spec.n_slots; i++) waiting = waiting || c->seen[i].starting || c->seen[i].state == JOB_SLOT_STOPPING;
  c->pause = !waiting || acted ? SOON : c->pause * 2 > LATER ? LATER : c->pause * 2;
  const int64_t left = c->actions.wake_at == JOB_NONE ? BACKSTOP : (c->actions.wake_at - now(c)) * 1000;
  const int ms = left < BACKSTOP ? (int)(left > 0 ? left : SOON) : BACKSTOP;
  return waiting && c->pause < ms ? c->pause : ms;
}

/* --- the stop --- */

/* Somebody stops the Job, and not just the controller: its pods stop too. They have not failed; the next start begins them anew. */
static void stop(struct controller *c) {
  struct err err;
  char job[MANAGER_STATE_MAX] = "";
  cleanup_free char *unit = own_unit();
  if (!unit || manager_job(unit, job) < 0 || strcmp(job, "stop") || manager_is_ending()) return;
  job_state_copy(&c->before, &c->state);
  for (size_t i = 0; i < c->spec.n_slots; i++) c->state.runs[i].up = false;
  if (job_state_write(&c->spec, &c->state, &err) < 0) trouble(&err);
  for (size_t i = 0; i < c->spec.n_slots; i++)
    if (c->before.runs[i].up && job_stop(&c->spec.slots[i], &err) < 0) trouble(&err);
}

/* --- all of it --- */

/* False when we are to end. */
static bool wait_event(struct controller *c, int ms) {
  struct pollfd fds[] = {{.fd = c->signals, .events = POLLIN}, {.fd = c->inotify, .events = POLLIN}};
  if (poll(fds, 2, ms) < 0 && errno != EINTR) return false;
  struct signalfd_siginfo info;
  if (read(c->signals, &info, sizeof info) == sizeof info) return false;
  char events[4096];
  if (!(fds[1].revents & POLLIN)) return true;
  /* A container's start and end are several files; one look does for all. */
  fds[0].revents = 0;
  (void)poll(fds, 1, SOON);
  while (read(c->inotify, events, sizeof events) > 0) continue;
  return true;
}

static int set_up(struct controller *c, struct err *err) {
  sigset_t set;
  struct timespec t;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (c->signals < 0) return err_set(err, errno, "signalfd", "%s", "");
  /* Without an instance left we look more often. */
  c->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  c->run = run_open(err);
  if (c->run < 0) return c->run;
  c->seen = calloc(c->spec.n_slots + 1, sizeof *c->seen);
  c->actions.start = calloc(c->spec.n_slots + 1, sizeof *c->actions.start);
  c->actions.stop = calloc(c->spec.n_slots + 1, sizeof *c->actions.stop);
  if (!c->seen || !c->actions.start || !c->actions.stop) return err_set(err, ENOMEM, "job", "%s", "");
  clock_gettime(CLOCK_BOOTTIME, &t);
  c->since = t.tv_sec;
  c->started = time(NULL);
  c->first = true;
  c->pause = SOON;
  return 0;
}

static void tear_down(struct controller *c) {
  for (size_t i = 0; c->seen && i < c->spec.n_slots; i++) job_seen_free(&c->seen[i]);
  free(c->seen);
  free(c->actions.start);
  free(c->actions.stop);
  job_state_free(&c->state);
  job_state_free(&c->before);
  job_spec_free(&c->spec);
}

int verb_job(int argc, char **argv) {
  struct controller c = {.run = -1, .inotify = -1, .signals = -1};
  struct err err = {0};
  if (argc != 2 || argv[1][0] != '/') {
    fputs("usage: podrt job FILE\n", stderr);
    return 64;
  }
  int r = job_spec_read(argv[1], &c.spec, &err);
  if (r == 0) r = job_state_read(&c.spec, &c.state, &err);
  if (r == 0) r = job_state_new(&c.spec, &c.before, &err);
  if (r == 0) r = set_up(&c, &err);
  if (r < 0) {
    trouble(&err);
    tear_down(&c);
    return r == -EBADMSG || r == -EINVAL ? EXIT_BAD_FILE : 125;
  }
  for (int ms; (ms = turn(&c)) >= 0;)
    if (!wait_event(&c, c.inotify < 0 && ms > LATER ? LATER : ms)) {
      stop(&c);
      break;
    }
  tear_down(&c);
  return 0;
}
