/*
 * podrt cron [--now] FILE: a CronJob's look at the clock, by podgen-cron-X.service, which its timer, a boot and the end of a run start;
 * --now: a run that a person wants, by podgen-cron-X__now.service. Runs are Jobs in slots (lib/cronspec.h); one is begun by starting its
 * controller's unit without a state file. native/README.md, "CronJobs".
 */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/complain.h"
#include "lib/cronstate.h"
#include "lib/cronstop.h"
#include "lib/durable.h"
#include "lib/manager.h"
#include "lib/proc.h"
#include "verbs.h"

static void say(const struct cron_spec *spec, int priority, const char *text, const char *more) {
  cleanup_free char *line = xformat("podrt: cron: %s: %s%s", spec->name, text, more);
  if (line) complain_line(priority, line);
}

/* As people of its time zone read it. */
static void say_due(const struct cron_spec *spec, int priority, int64_t due, const char *what, const char *more) {
  char text[64] = "";
  struct tm tm;
  const time_t t = (time_t)due;
  if (localtime_r(&t, &tm)) (void)strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &tm);
  cleanup_free char *line = xformat("due at %s: %s", text, what);
  if (line) say(spec, priority, line, more);
}

static int start(const struct cron_slot *slot, struct err *err) {
  int r = manager_start(slot->unit);
  return r < 0 ? err_set(err, -r, "start", "%s", slot->unit) : 0;
}

static int is_up(const char *unit, bool *ret, struct err *err) {
  char state[MANAGER_STATE_MAX];
  int r = manager_state(unit, state);
  if (r < 0) return err_set(err, -r, "ask for", "%s", unit);
  *ret = strcmp(state, "inactive") && strcmp(state, "failed");
  return 0;
}

/* Whether a run is there that goes on. One that a person has stopped does not: it has its slot until the next needs it. */
static int is_busy(const struct cron_slot *slot, bool *ret, struct err *err) {
  int64_t ended;
  *ret = false;
  return cron_phase_read(AT_FDCWD, slot->state, &ended) > CRON_GOING ? 0 : is_up(slot->unit, ret, err);
}

/* --- what was under way --- */

/* True once per boot: what runs is gone then, and nobody has stopped it. The mark is a folder, as all that podgen delete removes. */
static bool first_look(const struct cron_spec *spec) {
  struct err err;
  cleanup_fd int run = run_open(&err);
  cleanup_fd int dir = run < 0 ? -1 : run_open_at(run, "cron", true, &err);
  return dir >= 0 && mkdirat(dir, spec->name, 0700) == 0;
}

/* Runs that a shutdown has cut off go on; one that was to be started when the power failed is. */
static int resume(const struct cron_spec *spec, struct cron_state *state, struct err *err) {
  const bool boot = first_look(spec);
  int r = 0;
  for (size_t i = 0; r == 0 && i < spec->n; i++) {
    int64_t ended;
    const enum cron_phase phase = cron_phase_read(AT_FDCWD, spec->slots[i].state, &ended);
    const bool begun = phase == CRON_ABSENT && !strcmp(state->starting, spec->slots[i].job);
    if (!begun && !(boot && phase == CRON_GOING)) continue;
    say(spec, 6, "goes on: job ", spec->slots[i].job);
    r = start(&spec->slots[i], err);
  }
  if (r < 0 || !state->starting[0]) return r;
  state->starting[0] = 0;
  return cron_state_write(spec, state, err);
}

/* --- a run --- */

/* What is written before and after makes it one run, whenever the power fails. `due`: 0 for one by hand. */
static int begin(const struct cron_spec *spec, const struct cron_slot *slot, struct cron_state *state, int64_t due, struct err *err) {
  int r = cron_stop(slot, err);
  if (r == 0) r = cron_history_take(spec, slot, err);
  if (r < 0) return r;
  if (due) state->last = state->ran = due;
  snprintf(state->starting, sizeof state->starting, "%s", slot->job);
  r = cron_state_write(spec, state, err);
  if (r == 0) r = start(slot, err);
  if (r < 0) return r;
  state->starting[0] = 0;
  return cron_state_write(spec, state, err);
}

/* 1 where a person's run has no room. */
static int act(const struct cron_spec *spec, struct cron_now *now, struct cron_state *state, struct err *err) {
  const struct cron_choice choice = cron_choose(now);
  const struct cron_slot *slot = &spec->slots[choice.slot];
  const char *going = spec->n == 1 ? "the last run goes on" : "there is no room: as many runs go on as it may have";
  switch (choice.what) {
    case CRON_NOTHING:
      return 0;
    case CRON_MISSED:
      say_due(spec, 4, now->due, "missed: its startingDeadlineSeconds are over", "");
      state->last = now->due;
      return cron_state_write(spec, state, err);
    case CRON_FULL:
      if (now->by_hand) return err_set(err, 0, "now", "%s", going), 1;
      say_due(spec, 4, now->due, going, "; it begins when one has ended");
      return 0;
    default:
      break;
  }
  if (choice.what == CRON_INSTEAD) say_due(spec, 5, now->due, "ends the last run, for it is in its way: job ", slot->job);
  int r = begin(spec, slot, state, now->by_hand ? 0 : now->due, err);
  if (r == 0 && now->by_hand) say(spec, 6, "as somebody wants: started job ", slot->job);
  if (r == 0 && !now->by_hand) say_due(spec, 6, now->due, "started job ", slot->job);
  return r;
}

static int look(const struct cron_spec *spec, bool by_hand, int64_t now, struct err *err) {
  struct cron_state state;
  bool fresh;
  cron_state_read(spec, now, &state, &fresh);
  int r = fresh ? cron_state_write(spec, &state, err) : 0;
  if (r == 0) r = resume(spec, &state, err);
  cleanup_free bool *busy = calloc(spec->n, sizeof *busy);
  if (!busy) return err_set(err, ENOMEM, "cron", "%s", "");
  for (size_t i = 0; r == 0 && i < spec->n; i++) r = is_busy(&spec->slots[i], &busy[i], err);
  struct cron_now given = {.policy = spec->policy,
                           .suspended = spec->suspended,
                           .by_hand = by_hand,
                           .due = cron_latest(&spec->when, state.last, now),
                           .deadline = spec->deadline,
                           .now = now,
                           .busy = busy,
                           .n = spec->n};
  return r == 0 ? act(spec, &given, &state, err) : r;
}

/* The end of a run is a reason to look, too, and also where the runs are stopped because the CronJob goes: then its timer is stopped. */
static int look_if_wanted(const struct cron_spec *spec, bool by_hand, struct err *err) {
  const int64_t now = (int64_t)time(NULL);
  bool wanted = by_hand;
  struct err ignored;
  int r = cron_spec_zone(spec, err);
  if (r == 0 && !by_hand) r = is_up(spec->timer, &wanted, err);
  if (r == 0 && wanted) r = look(spec, by_hand, now, err);
  const int cut = cron_history_cut(spec, now, r == 0 ? err : &ignored);
  return r == 0 ? cut : r;
}

/* One at a time: the two units of a CronJob are two processes. The descriptor holds the lock. */
static int lock(const struct cron_spec *spec, struct err *err) {
  cleanup_free char *path = xformat("%s.lock", spec->state);
  int r = path ? durable_folders(path) : -ENOMEM;
  cleanup_fd int fd = r < 0 ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (r == 0 && (fd < 0 || flock(fd, LOCK_EX) < 0)) r = -errno;
  return r < 0 ? err_set(err, -r, "lock", "%s", spec->state) : steal_fd(&fd);
}

int verb_cron(int argc, char **argv) {
  const bool by_hand = argc == 3 && !strcmp(argv[1], "--now");
  struct cron_spec spec;
  struct err err;
  if (!by_hand && (argc != 2 || argv[1][0] == '-')) {
    fputs("usage: podrt cron [--now] FILE\n", stderr);
    return 64;
  }
  int r = cron_spec_read(argv[argc - 1], &spec, &err);
  if (r == 0) {
    cleanup_fd int held = lock(&spec, &err);
    r = held < 0 ? held : look_if_wanted(&spec, by_hand, &err);
    cron_spec_free(&spec);
  }
  if (r == 0) return 0;
  /* By a datagram: what we write to a stream just before our end may lose the unit. */
  complain(&err, "cron", NULL, NULL);
  return r > 0 ? 1 : 125;
}
