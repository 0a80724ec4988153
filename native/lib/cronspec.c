/* Reading cron.json: see cronspec.h. */
#include "cronspec.h"

#include <fcntl.h>
#include <time.h>

#include "jsonget.h"

enum { FILE_MAX = 1 << 20, SLOTS_MAX = 1000, COUNT_MAX = 2147483647 };
#define ZONES "/usr/share/zoneinfo/"

/* A list of numbers as bits. */
static int read_bits(const json_t *root, const char *key, unsigned min, unsigned max, uint64_t *ret, struct err *err) {
  json_t *list = NULL, *value;
  size_t i;
  int r = json_get(root, "", key, JSON_ARRAY, true, &list, err);
  if (r < 0) return r;
  json_array_foreach(list, i, value) {
    const json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < min || n > max) return err_set(err, 0, "cron.json", "%s: expected %u to %u", key, min, max), -EINVAL;
    *ret |= UINT64_C(1) << n;
  }
  return *ret ? 0 : (err_set(err, 0, "cron.json", "%s: it is empty", key), -EINVAL);
}

static int read_when(const json_t *root, struct cron_when *w, struct err *err) {
  uint64_t hours = 0, days = 0, months = 0, weekdays = 0;
  int r = read_bits(root, "minutes", 0, 59, &w->minutes, err);
  if (r == 0) r = read_bits(root, "hours", 0, 23, &hours, err);
  if (r == 0) r = read_bits(root, "days", 1, 31, &days, err);
  if (r == 0) r = read_bits(root, "months", 1, 12, &months, err);
  if (r == 0) r = read_bits(root, "weekdays", 0, 6, &weekdays, err);
  if (r == 0) r = json_get_bool(root, "", "either", &w->either, err);
  w->hours = (uint32_t)hours;
  w->days = (uint32_t)days;
  w->months = (uint32_t)months;
  w->weekdays = (uint8_t)weekdays;
  return r;
}

static int read_path(const json_t *object, const char *at, const char *key, const char **ret, struct err *err) {
  int r = json_get_string(object, at, key, true, ret, err);
  if (r == 0 && **ret != '/') return err_set(err, 0, "cron.json", "%s: expected an absolute path", key), -EINVAL;
  return r;
}

static int read_slots(const json_t *root, struct cron_spec *s, struct err *err) {
  json_t *list = NULL;
  int r = json_get_objects(root, "", "runs", SLOTS_MAX, &list, err);
  s->n = json_array_size(list);
  if (r == 0 && !s->n) return err_set(err, 0, "cron.json", "runs: it is empty"), -EINVAL;
  s->slots = r == 0 ? calloc(s->n, sizeof *s->slots) : NULL;
  if (r == 0 && !s->slots) return err_set(err, ENOMEM, "cron.json", "%s", "");
  for (size_t i = 0; r == 0 && i < s->n; i++) {
    char at[JSON_AT_MAX];
    const json_t *o = json_array_get(list, i);
    json_at_index(at, "", "runs", i);
    r = json_get_string(o, at, "job", true, &s->slots[i].job, err);
    if (r == 0) r = json_get_string(o, at, "unit", true, &s->slots[i].unit, err);
    if (r == 0) r = read_path(o, at, "file", &s->slots[i].file, err);
    if (r == 0) r = read_path(o, at, "state", &s->slots[i].state, err);
    /* It becomes part of a file's name. */
    if (r == 0 && (!s->slots[i].job[0] || strchr(s->slots[i].job, '/')))
      return err_set(err, 0, "cron.json", "%s.job: not a name", at), -EINVAL;
  }
  return r;
}

static int read_policy(const json_t *root, enum cron_policy *ret, struct err *err) {
  static const char *const words[] = {[CRON_ALLOW] = "Allow", [CRON_FORBID] = "Forbid", [CRON_REPLACE] = "Replace"};
  const char *word = NULL;
  int r = json_get_string(root, "", "concurrencyPolicy", true, &word, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(words); i++)
    if (!strcmp(word, words[i])) return *ret = (enum cron_policy)i, 0;
  return r < 0 ? r : (err_set(err, 0, "cron.json", "concurrencyPolicy: %s is none", word), -EINVAL);
}

static int read_all(const json_t *root, struct cron_spec *s, struct err *err) {
  int r = json_get_string(root, "", "name", true, &s->name, err);
  if (r == 0) r = json_get_string(root, "", "timer", true, &s->timer, err);
  if (r == 0) r = json_get_string(root, "", "schedule", true, &s->schedule, err);
  if (r == 0) r = json_get_string(root, "", "timeZone", false, &s->zone, err);
  if (r == 0) r = read_when(root, &s->when, err);
  if (r == 0) r = read_policy(root, &s->policy, err);
  if (r == 0) r = json_get_bool(root, "", "suspend", &s->suspended, err);
  if (r == 0) r = json_get_int(root, "", "startingDeadlineSeconds", 0, COUNT_MAX, &s->deadline, err);
  if (r == 0) r = json_get_int(root, "", "failedJobsHistoryLimit", 0, COUNT_MAX, &s->keep[0], err);
  if (r == 0) r = json_get_int(root, "", "successfulJobsHistoryLimit", 0, COUNT_MAX, &s->keep[1], err);
  if (r == 0) r = json_get_int(root, "", "ttlSecondsAfterFinished", 0, COUNT_MAX, &s->ttl, err);
  if (r == 0) r = read_path(root, "", "state", &s->state, err);
  if (r == 0) r = read_path(root, "", "history", &s->history, err);
  return r < 0 ? r : read_slots(root, s, err);
}

int cron_spec_parse(const char *text, size_t len, struct cron_spec *ret, struct err *err) {
  json_error_t where;
  *ret = (struct cron_spec){.tree = json_load(text, len, &where), .zone = "", .deadline = -1, .ttl = -1, .keep = {1, 3}};
  if (!json_is_object(ret->tree)) {
    json_decref(ret->tree);
    ret->tree = NULL;
    return err_set(err, 0, "cron.json", "line %d: %s", where.line, where.text), -EINVAL;
  }
  int r = read_all(ret->tree, ret, err);
  if (r < 0) cron_spec_free(ret);
  return r;
}

int cron_spec_read(const char *path, struct cron_spec *ret, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(AT_FDCWD, path, FILE_MAX, &text, &len);
  return r < 0 ? err_set(err, -r, "read", "%s", path) : cron_spec_parse(text, len, ret, err);
}

void cron_spec_free(struct cron_spec *s) {
  json_decref(s->tree);
  free(s->slots);
  *s = (struct cron_spec){0};
}

int cron_spec_zone(const struct cron_spec *s, struct err *err) {
  if (*s->zone) {
    cleanup_free char *path = xformat(ZONES "%s", s->zone);
    if (!path || access(path, R_OK) < 0) return err_set(err, path ? errno : ENOMEM, "time zone", "%s", s->zone);
    if (setenv("TZ", s->zone, 1) < 0) return err_set(err, errno, "setenv", "TZ");
  }
  tzset();
  return 0;
}
