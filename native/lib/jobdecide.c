/* What a Job does next: see jobdecide.h. */
#include "jobdecide.h"

#include <stdarg.h>

#include "jobindexes.h"

enum { BACKOFF_FIRST = 10, BACKOFF_MOST = 360 };

struct job {
  const struct job_spec *spec;
  struct job_state *state;
  const struct job_seen *seen;
  struct job_actions *actions;
  int64_t now;
};

int64_t job_backoff(int64_t failures) {
  int64_t seconds = failures > 0 ? BACKOFF_FIRST : 0;
  for (; failures > 1 && seconds < BACKOFF_MOST; failures--) seconds *= 2;
  return seconds > BACKOFF_MOST ? BACKOFF_MOST : seconds;
}

static void wake(struct job *j, int64_t at) {
  if (j->actions->wake_at == JOB_NONE || at < j->actions->wake_at) j->actions->wake_at = at;
}

static bool is_over(const struct job_state *state) {
  return state->phase == JOB_COMPLETE || state->phase == JOB_FAILED || state->phase == JOB_EXPIRED;
}

static void __attribute__((format(printf, 4, 5))) finish(struct job *j, enum job_phase phase, const char *reason, const char *fmt, ...) {
  if (is_over(j->state)) return;
  va_list args;
  va_start(args, fmt);
  (void)vsnprintf(j->state->message, sizeof j->state->message, fmt, args);
  va_end(args);
  snprintf(j->state->reason, sizeof j->state->reason, "%s", reason);
  j->state->phase = phase;
  j->state->finished_at = j->now;
  j->actions->changed = true;
}

static size_t count_up(const struct job *j) {
  size_t n = 0;
  for (size_t i = 0; i < j->spec->n_slots; i++) n += j->state->runs[i].up;
  return n;
}

/* --- ends of slots --- */

static bool holds(const struct job_rule *rule, int code) {
  if (code <= 0) return false;
  for (size_t v = 0; v < rule->n_values; v++)
    if (rule->values[v] == code) return rule->in;
  return !rule->in;
}

static bool matches(const struct job_rule *rule, const struct job_seen *seen) {
  /* A pod that was not disrupted has no such condition, which is not to have it with status False. */
  if (rule->of_conditions) return rule->disrupted && seen->disrupted;
  for (size_t e = 0; e < seen->n_ends; e++)
    if ((!rule->container || !strcmp(rule->container, seen->ends[e].container)) && holds(rule, seen->ends[e].code)) return true;
  return false;
}

/* The first rule that matches says it; without one it counts. */
static enum job_action action_for(const struct job *j, const struct job_seen *seen) {
  for (size_t r = 0; r < j->spec->n_rules; r++)
    if (matches(&j->spec->rules[r], seen)) return j->spec->rules[r].action;
  return JOB_COUNT;
}

void job_seen_text(const struct job_seen *seen, char *ret, size_t size) {
  if (seen->disrupted || seen->state == JOB_SLOT_DOWN)
    snprintf(ret, size, "it was stopped from outside");
  else if (seen->why)
    snprintf(ret, size, "%s", seen->why);
  else if (seen->n_ends && seen->ends[0].code >= 0)
    snprintf(ret, size, "container %.63s: exit code %d", seen->ends[0].container, seen->ends[0].code);
  else
    snprintf(ret, size, "it did not start");
}

/* Back-off is by index where limits are, else of all slots together. */
static void back_off(struct job *j, size_t i) {
  struct job_run *run = &j->state->runs[i];
  j->state->streak++;
  if (j->spec->backoff_limit_per_index != JOB_NONE)
    run->retry_at = j->now + job_backoff(run->failures ? run->failures : 1);
  else
    j->state->retry_at = j->now + job_backoff(j->state->streak);
}

static void failed(struct job *j, size_t i, const struct job_seen *seen) {
  const struct job_spec *spec = j->spec;
  struct job_state *state = j->state;
  struct job_run *run = &state->runs[i];
  char why[128];
  job_seen_text(seen, why, sizeof why);
  const enum job_action action = action_for(j, seen);
  if (action != JOB_IGNORE) {
    state->failed++;
    run->failures++;
  }
  back_off(j, i);
  if (action == JOB_FAIL_JOB) {
    finish(j, JOB_FAILED, "PodFailurePolicy", "pod %s: %s, for which podFailurePolicy says FailJob", spec->slots[i].pod, why);
  } else if (action == JOB_FAIL_INDEX && spec->indexed) {
    state->given_up[i] = true;
  } else if (spec->backoff_limit_per_index != JOB_NONE) {
    if (run->failures > spec->backoff_limit_per_index) state->given_up[i] = true;
  }
  /* With limits by index the whole's is out of reach unless it is written, too: podgen writes 2147483647 then. */
  if (action != JOB_IGNORE && state->failed > spec->backoff_limit)
    finish(j, JOB_FAILED, "BackoffLimitExceeded", "pod %s: %s; failures so far: %lld, backoffLimit: %lld", spec->slots[i].pod, why,
           (long long)state->failed, (long long)spec->backoff_limit);
}

static void succeeded(struct job *j, size_t i) {
  j->state->succeeded++;
  j->state->streak = 0;
  j->state->retry_at = 0;
  if (j->spec->indexed) j->state->completed[i] = true;
}

/* Takes what slots have come to into the state. */
static void settle(struct job *j, bool first) {
  for (size_t i = 0; i < j->spec->n_slots; i++) {
    struct job_run *run = &j->state->runs[i];
    const struct job_seen *seen = &j->seen[i];
    if (!run->up || seen->state == JOB_SLOT_UP) continue;
    /* As a container that a node's reboot ended is run again in place, and a pod that never is, has failed. */
    if (first && !j->spec->never && (seen->state == JOB_SLOT_DOWN || seen->state == JOB_SLOT_STOPPING)) {
      run->up = false;
      j->actions->changed = true;
      continue;
    }
    if (seen->state == JOB_SLOT_STOPPING) continue;
    run->up = false;
    j->actions->changed = true;
    const struct job_seen gone = {.state = JOB_SLOT_FAILED, .disrupted = true};
    if (seen->state == JOB_SLOT_SUCCEEDED)
      succeeded(j, i);
    else
      failed(j, i, seen->state == JOB_SLOT_DOWN ? &gone : seen);
  }
}

/* Containers that the manager starts again in place count, too, as the Job controller counts them. */
static void check_restarts(struct job *j) {
  int64_t restarts = 0;
  for (size_t i = 0; i < j->spec->n_slots; i++)
    if (j->state->runs[i].up) restarts += j->seen[i].restarts;
  const int64_t limit = j->spec->backoff_limit;
  if (j->spec->never || restarts == 0 || restarts < limit) return;
  finish(j, JOB_FAILED, "BackoffLimitExceeded", "its containers were started again %lld times; backoffLimit: %lld", (long long)restarts,
         (long long)limit);
}

/* --- is it over? --- */

static bool is_enough(const struct job *j, const struct job_success *rule) {
  int64_t wanted = 0, there = 0;
  for (size_t i = 0; i < j->spec->n_slots; i++) {
    if (rule->indexes && !rule->indexes[i]) continue;
    wanted++;
    there += j->state->completed[i];
  }
  return there >= (rule->count == JOB_NONE ? wanted : rule->count);
}

static void check_indexes(struct job *j) {
  const struct job_spec *spec = j->spec;
  const int64_t lost = (int64_t)job_indexes_count(j->state->given_up, spec->n_slots);
  const int64_t done = (int64_t)job_indexes_count(j->state->completed, spec->n_slots);
  for (size_t r = 0; r < spec->n_successes; r++)
    if (is_enough(j, &spec->successes[r])) finish(j, JOB_COMPLETE, "SuccessPolicy", "%s", "a rule of its successPolicy holds");
  if (spec->max_failed_indexes != JOB_NONE && lost > spec->max_failed_indexes)
    finish(j, JOB_FAILED, "MaxFailedIndexesExceeded", "failed indexes: %lld, maxFailedIndexes: %lld", (long long)lost,
           (long long)spec->max_failed_indexes);
  if (done + lost < (int64_t)spec->n_slots) return;
  if (lost)
    finish(j, JOB_FAILED, "FailedIndexes", "failed indexes: %lld", (long long)lost);
  else
    finish(j, JOB_COMPLETE, "CompletionsReached", "%s", "");
}

static void check_end(struct job *j) {
  const struct job_spec *spec = j->spec;
  const struct job_state *state = j->state;
  if (spec->indexed) check_indexes(j);
  /* A work queue: one that succeeds says that there is no work left, and the others come to their ends. */
  else if (spec->completions == JOB_NONE ? state->succeeded > 0 && count_up(j) == 0 : state->succeeded >= spec->completions)
    finish(j, JOB_COMPLETE, "CompletionsReached", "%s", "");
  if (spec->active_deadline == JOB_NONE || is_over(state)) return;
  const int64_t end = state->started_at + spec->active_deadline;
  if (j->now >= end)
    finish(j, JOB_FAILED, "DeadlineExceeded", "it was active for longer than its %lld s", (long long)spec->active_deadline);
  else
    wake(j, end);
}

/* --- starts and stops --- */

static size_t wanted(const struct job *j) {
  const struct job_spec *spec = j->spec;
  int64_t n = spec->parallelism;
  if (spec->completions == JOB_NONE && j->state->succeeded > 0) return 0;
  const int64_t left = spec->completions - j->state->succeeded;
  if (spec->completions != JOB_NONE && left < n) n = left;
  return n > (int64_t)spec->n_slots ? spec->n_slots : (size_t)n;
}

static bool is_open(const struct job *j, size_t i) {
  return !j->state->runs[i].up && (!j->spec->indexed || (!j->state->completed[i] && !j->state->given_up[i]));
}

static void start_slot(struct job *j, size_t i) {
  struct job_run *run = &j->state->runs[i];
  run->up = true;
  run->attempt++;
  run->started_at = j->now;
  j->actions->start[i] = true;
  j->actions->changed = true;
}

static void fill_up(struct job *j) {
  size_t up = count_up(j);
  const size_t want = wanted(j);
  /* Those with the highest numbers have the least behind them; what they come to does not count. */
  const bool surplus = j->spec->completions != JOB_NONE || j->state->succeeded == 0;
  for (size_t i = j->spec->n_slots; i > 0 && up > want && surplus; i--)
    if (j->state->runs[i - 1].up) {
      j->state->runs[i - 1].up = false;
      j->actions->changed = true;
      up--;
    }
  for (size_t i = 0; i < j->spec->n_slots && up < want; i++) {
    if (!is_open(j, i)) continue;
    const int64_t own = j->state->runs[i].retry_at, all = j->state->retry_at, at = own > all ? own : all;
    /* A slot that is still stopping says so when it has. */
    if (at > j->now)
      wake(j, at);
    else if (j->seen[i].state == JOB_SLOT_DOWN) {
      start_slot(j, i);
      up++;
    }
  }
}

/* Whatever runs without being up. */
static void stop_rest(struct job *j) {
  for (size_t i = 0; i < j->spec->n_slots; i++) {
    const enum job_seen_state seen = j->seen[i].state;
    j->actions->stop[i] = !j->state->runs[i].up && seen != JOB_SLOT_DOWN && seen != JOB_SLOT_STOPPING;
  }
}

/* --- all of it --- */

static void suspend(struct job *j) {
  struct job_state *state = j->state;
  if (state->phase != JOB_SUSPENDED || count_up(j)) j->actions->changed = true;
  state->phase = JOB_SUSPENDED;
  state->started_at = 0;
  for (size_t i = 0; i < state->n; i++) state->runs[i].up = false;
}

static void resume(struct job *j) {
  struct job_state *state = j->state;
  if (state->phase == JOB_RUNNING && state->started_at) return;
  state->phase = JOB_RUNNING;
  state->started_at = j->now;
  j->actions->changed = true;
}

static void rest(struct job *j) {
  struct job_state *state = j->state;
  for (size_t i = 0; i < state->n; i++) state->runs[i].up = false;
  bool gone = true;
  for (size_t i = 0; i < state->n; i++) gone = gone && j->seen[i].state == JOB_SLOT_DOWN;
  const int64_t ttl = j->spec->ttl;
  if (state->phase != JOB_EXPIRED && ttl != JOB_NONE) {
    if (j->now < state->finished_at + ttl) {
      wake(j, state->finished_at + ttl);
      gone = false;
    } else if (gone) {
      state->phase = JOB_EXPIRED;
      j->actions->changed = true;
    }
  }
  j->actions->over = gone;
}

void job_decide(const struct job_spec *spec, struct job_state *state, const struct job_seen *seen, bool first, int64_t now,
                struct job_actions *actions) {
  struct job j = {.spec = spec, .state = state, .seen = seen, .actions = actions, .now = now};
  actions->changed = actions->over = false;
  actions->wake_at = JOB_NONE;
  for (size_t i = 0; i < spec->n_slots; i++) actions->start[i] = actions->stop[i] = false;
  if (!is_over(state)) {
    settle(&j, first);
    check_restarts(&j);
    if (spec->suspend && !is_over(state)) {
      suspend(&j);
    } else if (!is_over(state)) {
      resume(&j);
      check_end(&j);
    }
  }
  if (is_over(state))
    rest(&j);
  else if (state->phase == JOB_RUNNING)
    fill_up(&j);
  stop_rest(&j);
}
