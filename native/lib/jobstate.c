/* A Job's state: see jobstate.h. */
#include "jobstate.h"

#include <fcntl.h>

#include "durable.h"
#include "jobindexes.h"
#include "jsonget.h"
#include "jsonload.h"

enum { FILE_MAX = 4 << 20, VERSION = 1 };

static const char *const phases[] = {"running", "suspended", "complete", "failed", "expired"};

const char *job_phase_word(enum job_phase phase) {
  return phases[phase];
}

int job_state_new(const struct job_spec *spec, struct job_state *ret, struct err *err) {
  *ret = (struct job_state){.n = spec->n_slots};
  ret->runs = calloc(spec->n_slots + 1, sizeof *ret->runs);
  ret->completed = calloc(spec->n_slots + 1, sizeof *ret->completed);
  ret->given_up = calloc(spec->n_slots + 1, sizeof *ret->given_up);
  return ret->runs && ret->completed && ret->given_up ? 0 : err_set(err, ENOMEM, "job", "%s", spec->name);
}

void job_state_copy(struct job_state *to, const struct job_state *from) {
  const struct job_state own = *to;
  *to = *from;
  to->runs = memcpy(own.runs, from->runs, from->n * sizeof *own.runs);
  to->completed = memcpy(own.completed, from->completed, from->n * sizeof *own.completed);
  to->given_up = memcpy(own.given_up, from->given_up, from->n * sizeof *own.given_up);
}

void job_state_free(struct job_state *state) {
  free(state->runs);
  free(state->completed);
  free(state->given_up);
  *state = (struct job_state){0};
}

/* --- from JSON --- */

static int read_indexes(const json_t *root, const char *key, bool *set, size_t n, struct err *err) {
  const char *text = "";
  int r = json_get_string(root, "", key, false, &text, err);
  if (r == 0 && job_indexes_parse(text, set, n) < 0) return err_set(err, 0, "state", "%s: not indexes of this Job", key), -EBADMSG;
  return r;
}

/* Slots that the Job has no more are passed over: parallelism may have become less. */
static int read_run(const json_t *object, size_t i, const struct job_spec *spec, struct job_state *state, struct err *err) {
  char at[JSON_AT_MAX];
  const char *pod = "";
  struct job_run run = {0};
  json_at_index(at, "", "slots", i);
  int r = json_get_string(object, at, "pod", true, &pod, err);
  if (r == 0) r = json_get_bool(object, at, "up", &run.up, err);
  if (r == 0) r = json_get_int(object, at, "attempt", 0, INT64_MAX, &run.attempt, err);
  if (r == 0) r = json_get_int(object, at, "startedAt", 0, INT64_MAX, &run.started_at, err);
  if (r == 0) r = json_get_int(object, at, "failures", 0, INT64_MAX, &run.failures, err);
  if (r == 0) r = json_get_int(object, at, "retryAt", 0, INT64_MAX, &run.retry_at, err);
  for (size_t s = 0; r == 0 && s < spec->n_slots; s++)
    if (!strcmp(spec->slots[s].pod, pod)) state->runs[s] = run;
  return r;
}

static int read_phase(const json_t *root, struct job_state *state, struct err *err) {
  const char *word = "", *reason = "", *message = "";
  int r = json_get_string(root, "", "phase", true, &word, err);
  if (r == 0) r = json_get_string(root, "", "reason", false, &reason, err);
  if (r == 0) r = json_get_string(root, "", "message", false, &message, err);
  if (r < 0) return r;
  snprintf(state->reason, sizeof state->reason, "%s", reason);
  snprintf(state->message, sizeof state->message, "%s", message);
  for (size_t i = 0; i < N_ELEMENTS(phases); i++)
    if (!strcmp(word, phases[i])) return state->phase = (enum job_phase)i, 0;
  return err_set(err, 0, "state", "phase: %.40s", word), -EBADMSG;
}

static int from_json(const json_t *root, const struct job_spec *spec, struct job_state *state, struct err *err) {
  const struct {
    const char *key;
    int64_t *ret;
  } numbers[] = {{"startedAt", &state->started_at}, {"finishedAt", &state->finished_at}, {"succeeded", &state->succeeded},
                 {"failed", &state->failed},        {"streak", &state->streak},          {"retryAt", &state->retry_at}};
  json_t *slots = NULL;
  int r = read_phase(root, state, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(numbers); i++) r = json_get_int(root, "", numbers[i].key, 0, INT64_MAX, numbers[i].ret, err);
  if (r == 0 && spec->indexed) r = read_indexes(root, "completedIndexes", state->completed, state->n, err);
  if (r == 0 && spec->indexed) r = read_indexes(root, "failedIndexes", state->given_up, state->n, err);
  if (r == 0) r = json_get_objects(root, "", "slots", SIZE_MAX, &slots, err);
  for (size_t i = 0; r == 0 && i < json_array_size(slots); i++) r = read_run(json_array_get(slots, i), i, spec, state, err);
  return r;
}

int job_state_read(const struct job_spec *spec, struct job_state *ret, struct err *err) {
  json_error_t where;
  int r = job_state_new(spec, ret, err);
  if (r < 0) return r;
  cleanup_free char *text = NULL;
  size_t len = 0;
  r = read_file_at(AT_FDCWD, spec->state, FILE_MAX, &text, &len);
  if (r == -ENOENT) return 0;
  if (r < 0) return err_set(err, -r, "read", "%s", spec->state);
  json_t *root = json_load(text, len, &where);
  if (!json_is_object(root)) {
    json_decref(root);
    return err_set(err, 0, "state", "%s is damaged; without the file the Job begins anew", spec->state), -EBADMSG;
  }
  const char *run = json_string_value(json_object_get(root, "run"));
  if (run && !strcmp(run, spec->run)) r = from_json(root, spec, ret, err);
  json_decref(root);
  return r;
}

/* --- to JSON --- */

static json_t *slots_json(const struct job_spec *spec, const struct job_state *state) {
  json_t *list = json_array();
  for (size_t i = 0; i < state->n; i++) {
    const struct job_run *run = &state->runs[i];
    if (!run->up && !run->attempt && !run->failures) continue;
    json_array_append_new(
        list, json_pack("{s:s, s:I, s:b, s:I, s:I, s:I, s:I}", "pod", spec->slots[i].pod, "index", (json_int_t)spec->slots[i].index, "up",
                        run->up, "attempt", (json_int_t)run->attempt, "startedAt", (json_int_t)run->started_at, "failures",
                        (json_int_t)run->failures, "retryAt", (json_int_t)run->retry_at));
  }
  return list;
}

char *job_state_text(const struct job_spec *spec, const struct job_state *state) {
  const size_t n = spec->indexed ? state->n : 0;
  cleanup_free char *completed = job_indexes_text(state->completed, n);
  cleanup_free char *given_up = job_indexes_text(state->given_up, n);
  if (!completed || !given_up) return NULL;
  json_t *root =
      json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:o}", "version", VERSION, "run", spec->run, "phase",
                phases[state->phase], "reason", state->reason, "message", state->message, "startedAt", (json_int_t)state->started_at,
                "finishedAt", (json_int_t)state->finished_at, "succeeded", (json_int_t)state->succeeded, "failed",
                (json_int_t)state->failed, "streak", (json_int_t)state->streak, "retryAt", (json_int_t)state->retry_at, "completedIndexes",
                completed, "failedIndexes", given_up, "slots", slots_json(spec, state));
  char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
  json_decref(root);
  return text;
}

int job_state_write(const struct job_spec *spec, const struct job_state *state, struct err *err) {
  cleanup_free char *text = job_state_text(spec, state);
  if (!text) return err_set(err, ENOMEM, "write", "%s", spec->state);
  int r = durable_write(spec->state, text, strlen(text), 0600);
  return r < 0 ? err_set(err, -r, "write", "%s", spec->state) : 0;
}
