/* A Job's file: see jobspec.h. */
#include "jobspec.h"

#include <fcntl.h>

#include "jobindexes.h"
#include "jsonget.h"
#include "jsonload.h"

enum { FILE_MAX = 16 << 20, SLOTS_MAX = 10000, RULES_MAX = 20, VALUES_MAX = 255, CONTAINERS_MAX = 500 };

static int bad(struct err *err, const char *at, const char *what) {
  return err_set(err, 0, "job", "%s: %s", at, what), -EINVAL;
}

/* The array's objects; *ret is a new zeroed array of `size` bytes each. */
static int objects(const json_t *object, const char *at, const char *key, size_t max, size_t size, json_t **ret_list, void **ret,
                   size_t *ret_n, struct err *err) {
  *ret_list = NULL;
  int r = json_get_objects(object, at, key, max, ret_list, err);
  if (r < 0 || !*ret_list || !json_array_size(*ret_list)) return r;
  *ret = calloc(json_array_size(*ret_list), size);
  if (!*ret) return err_set(err, ENOMEM, "job", "%s", key);
  *ret_n = json_array_size(*ret_list);
  return 0;
}

/* --- podFailurePolicy, successPolicy --- */

static int read_action(const json_t *object, const char *at, enum job_action *ret, struct err *err) {
  static const char *const words[] = {"Count", "Ignore", "FailIndex", "FailJob"};
  const char *word = "";
  int r = json_get_string(object, at, "action", true, &word, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(words); i++)
    if (!strcmp(word, words[i])) return *ret = (enum job_action)i, 0;
  return r < 0 ? r : bad(err, at, "action");
}

static int read_values(const json_t *object, const char *at, struct job_rule *rule, struct err *err) {
  json_t *values = NULL;
  int r = json_get(object, at, "values", JSON_ARRAY, true, &values, err);
  if (r < 0) return r;
  const size_t n = json_array_size(values);
  if (n == 0 || n > VALUES_MAX) return bad(err, at, "values");
  rule->values = calloc(n, sizeof *rule->values);
  if (!rule->values) return err_set(err, ENOMEM, "job", "%s", at);
  for (; rule->n_values < n; rule->n_values++) {
    const json_t *value = json_array_get(values, rule->n_values);
    if (!json_is_integer(value)) return bad(err, at, "values");
    rule->values[rule->n_values] = json_integer_value(value);
  }
  return 0;
}

/* One condition is known, DisruptionTarget; several in a rule are all of that one. */
static int read_conditions(const json_t *conditions, const char *at, struct job_rule *rule, struct err *err) {
  const char *type = "", *status = "True";
  rule->of_conditions = true;
  const json_t *first = json_array_get(conditions, 0);
  int r = first ? json_get_string(first, at, "type", true, &type, err) : bad(err, at, "conditions");
  if (r == 0) r = json_get_string(first, at, "status", false, &status, err);
  if (r == 0 && strcmp(type, "DisruptionTarget")) return bad(err, at, "type");
  rule->disrupted = r == 0 && !strcmp(status, "True");
  return r;
}

static int read_rule(const json_t *object, size_t i, struct job_rule *rule, struct err *err) {
  char at[JSON_AT_MAX];
  json_t *conditions = NULL;
  const char *operator= "";
  json_at_index(at, "", "podFailurePolicy", i);
  int r = read_action(object, at, &rule->action, err);
  if (r == 0) r = json_get_objects(object, at, "conditions", RULES_MAX, &conditions, err);
  if (r < 0) return r;
  if (conditions) return read_conditions(conditions, at, rule, err);
  r = json_get_string(object, at, "container", false, &rule->container, err);
  if (r == 0) r = json_get_string(object, at, "operator", true, &operator, err);
  if (r < 0) return r;
  rule->in = !strcmp(operator, "In");
  if (!rule->in && strcmp(operator, "NotIn")) return bad(err, at, "operator");
  return read_values(object, at, rule, err);
}

static int read_success(const json_t *object, size_t i, const struct job_spec *spec, struct job_success *ret, struct err *err) {
  char at[JSON_AT_MAX];
  const char *text = NULL;
  json_at_index(at, "", "successPolicy", i);
  ret->count = JOB_NONE;
  int r = json_get_int(object, at, "succeededCount", 1, INT32_MAX, &ret->count, err);
  if (r == 0) r = json_get_string(object, at, "succeededIndexes", false, &text, err);
  if (r < 0 || !text) return r;
  ret->indexes = calloc(spec->n_slots, sizeof *ret->indexes);
  if (!ret->indexes) return err_set(err, ENOMEM, "job", "%s", at);
  return job_indexes_parse(text, ret->indexes, spec->n_slots) < 0 ? bad(err, at, "succeededIndexes") : 0;
}

/* --- slots --- */

static int read_container(const json_t *object, const char *at, struct job_container *ret, struct err *err) {
  int r = json_get_string(object, at, "name", true, &ret->name, err);
  if (r == 0) r = json_get_string(object, at, "unit", true, &ret->unit, err);
  if (r == 0) r = json_get_bool(object, at, "init", &ret->init, err);
  if (r == 0) r = json_get_bool(object, at, "sidecar", &ret->sidecar, err);
  return r;
}

static int read_slot(const json_t *object, size_t i, const struct job_spec *spec, struct job_slot *ret, struct err *err) {
  char at[JSON_AT_MAX];
  json_t *list = NULL;
  json_at_index(at, "", "slots", i);
  int r = json_get_string(object, at, "pod", true, &ret->pod, err);
  if (r == 0) r = json_get_string(object, at, "unit", true, &ret->unit, err);
  if (r == 0) r = json_get_int(object, at, "index", 0, INT32_MAX, &ret->index, err);
  if (r == 0) r = json_get_strings(object, at, "folders", CONTAINERS_MAX, &ret->folders, &ret->n_folders, err);
  if (r == 0)
    r = objects(object, at, "containers", CONTAINERS_MAX, sizeof *ret->containers, &list, (void **)&ret->containers, &ret->n_containers,
                err);
  for (size_t c = 0; r == 0 && c < ret->n_containers; c++) r = read_container(json_array_get(list, c), at, &ret->containers[c], err);
  for (size_t f = 0; r == 0 && f < ret->n_folders; f++)
    if (ret->folders[f][0] != '/') return bad(err, at, "folders");
  if (r == 0 && (strchr(ret->pod, '/') || ret->pod[0] == '.' || !ret->n_containers)) return bad(err, at, "pod");
  /* A slot for each index, in their order. */
  return r == 0 && spec->indexed && ret->index != (int64_t)i ? bad(err, at, "index") : r;
}

/* --- all of it --- */

static int read_numbers(struct job_spec *s, struct err *err) {
  const struct {
    const char *key;
    int64_t *ret, absent, min;
  } numbers[] = {{"completions", &s->completions, JOB_NONE, 0},
                 {"parallelism", &s->parallelism, 1, 0},
                 {"backoffLimit", &s->backoff_limit, 6, 0},
                 {"backoffLimitPerIndex", &s->backoff_limit_per_index, JOB_NONE, 0},
                 {"maxFailedIndexes", &s->max_failed_indexes, JOB_NONE, 0},
                 {"activeDeadlineSeconds", &s->active_deadline, JOB_NONE, 1},
                 {"ttlSecondsAfterFinished", &s->ttl, JOB_NONE, 0}};
  int r = 0;
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(numbers); i++) {
    *numbers[i].ret = numbers[i].absent;
    r = json_get_int(s->root, "", numbers[i].key, numbers[i].min, INT32_MAX, numbers[i].ret, err);
  }
  return r;
}

static int read_words(struct job_spec *s, struct err *err) {
  const char *policy = "";
  int r = json_get_string(s->root, "", "name", true, &s->name, err);
  if (r == 0) r = json_get_string(s->root, "", "run", true, &s->run, err);
  if (r == 0) r = json_get_string(s->root, "", "state", true, &s->state, err);
  if (r == 0) r = json_get_string(s->root, "", "restartPolicy", true, &policy, err);
  if (r == 0) r = json_get_bool(s->root, "", "indexed", &s->indexed, err);
  if (r == 0) r = json_get_bool(s->root, "", "suspend", &s->suspend, err);
  if (r < 0) return r;
  s->never = !strcmp(policy, "Never");
  if (!s->never && strcmp(policy, "OnFailure")) return bad(err, "restartPolicy", "Never or OnFailure");
  return s->state[0] == '/' ? 0 : bad(err, "state", "an absolute path");
}

static int read_all(struct job_spec *s, struct err *err) {
  json_t *list = NULL;
  int r = read_words(s, err);
  if (r == 0) r = read_numbers(s, err);
  if (r == 0) r = objects(s->root, "", "slots", SLOTS_MAX, sizeof *s->slots, &list, (void **)&s->slots, &s->n_slots, err);
  for (size_t i = 0; r == 0 && i < s->n_slots; i++) r = read_slot(json_array_get(list, i), i, s, &s->slots[i], err);
  if (r == 0 && s->indexed && s->completions != (int64_t)s->n_slots) return bad(err, "slots", "as many as completions");
  if (r == 0) r = objects(s->root, "", "podFailurePolicy", RULES_MAX, sizeof *s->rules, &list, (void **)&s->rules, &s->n_rules, err);
  for (size_t i = 0; r == 0 && i < s->n_rules; i++) r = read_rule(json_array_get(list, i), i, &s->rules[i], err);
  if (r == 0)
    r = objects(s->root, "", "successPolicy", RULES_MAX, sizeof *s->successes, &list, (void **)&s->successes, &s->n_successes, err);
  for (size_t i = 0; r == 0 && i < s->n_successes; i++) r = read_success(json_array_get(list, i), i, s, &s->successes[i], err);
  return r;
}

int job_spec_parse(const char *text, size_t len, struct job_spec *ret, struct err *err) {
  json_error_t where;
  *ret = (struct job_spec){.root = json_load(text, len, &where)};
  if (!ret->root) return err_set(err, 0, "job", "line %d: %s", where.line, where.text), -EBADMSG;
  return json_is_object(ret->root) ? read_all(ret, err) : bad(err, "the root", "expected an object");
}

int job_spec_read(const char *path, struct job_spec *ret, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  *ret = (struct job_spec){0};
  int r = read_file_at(AT_FDCWD, path, FILE_MAX, &text, &len);
  return r < 0 ? err_set(err, -r, "read", "%s", path) : job_spec_parse(text, len, ret, err);
}

void job_spec_free(struct job_spec *s) {
  for (size_t i = 0; i < s->n_rules; i++) free(s->rules[i].values);
  for (size_t i = 0; i < s->n_successes; i++) free(s->successes[i].indexes);
  for (size_t i = 0; i < s->n_slots; i++) {
    free(s->slots[i].folders);
    free(s->slots[i].containers);
  }
  free(s->rules);
  free(s->successes);
  free(s->slots);
  json_decref(s->root);
  *s = (struct job_spec){0};
}
