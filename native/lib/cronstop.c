/* The end of what a slot's Job has left running: see cronstop.h. */
#include "cronstop.h"

#include <fcntl.h>

#include "deadline.h"
#include "jsonget.h"
#include "manager.h"

enum { FILE_MAX = 64 << 20, PODS_MAX = 100000, PATIENCE_MS = 60 * 1000 };

static bool is_down(const char *state) {
  return !strcmp(state, "inactive") || !strcmp(state, "failed");
}

/* Queues the stop of what is up, and counts it. */
static int stop(const char *unit, size_t *count, struct err *err) {
  char state[MANAGER_STATE_MAX];
  int r = manager_state(unit, state);
  if (r == 0 && is_down(state)) return 0;
  ++*count;
  if (r == 0) r = manager_stop(unit);
  return r < 0 ? err_set(err, -r, "stop", "%s", unit) : 0;
}

static int await(const char *unit, struct err *err) {
  int64_t until = clock_ms() + PATIENCE_MS;
  for (unsigned naps = 0;; nap(&naps)) {
    char state[MANAGER_STATE_MAX];
    int r = manager_state(unit, state);
    if (r < 0) return err_set(err, -r, "ask for", "%s", unit);
    if (is_down(state)) return 0;
    if (!strcmp(state, "deactivating")) until = clock_ms() + PATIENCE_MS;
    if (clock_ms() >= until) return err_set(err, ETIMEDOUT, "stop", "%s", unit);
  }
}

static int stop_and_wait(const char *unit, struct err *err) {
  size_t up = 0;
  int r = stop(unit, &up, err);
  return r < 0 || !up ? r : await(unit, err);
}

int cron_stop(const struct cron_slot *slot, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len, up = 0;
  json_t *pods = NULL;
  json_error_t where;
  /* First who would start others. */
  int r = stop_and_wait(slot->unit, err);
  if (r < 0) return r;
  r = read_file_at(AT_FDCWD, slot->file, FILE_MAX, &text, &len);
  if (r < 0) return err_set(err, -r, "read", "%s", slot->file);
  json_t *root = json_load(text, len, &where);
  if (!root) return err_set(err, 0, "job.json", "line %d: %s", where.line, where.text), -EINVAL;
  r = json_get_objects(root, "", "slots", PODS_MAX, &pods, err);
  const size_t n = json_array_size(pods);
  /* All at once, so that their times for it pass together. */
  for (int waits = 0; waits < 2; waits++)
    for (size_t i = 0; r == 0 && i < n && (!waits || up); i++) {
      const char *unit = NULL;
      char at[JSON_AT_MAX];
      json_at_index(at, "", "slots", i);
      r = json_get_string(json_array_get(pods, i), at, "unit", true, &unit, err);
      if (r == 0) r = waits ? await(unit, err) : stop(unit, &up, err);
    }
  json_decref(root);
  return r;
}
