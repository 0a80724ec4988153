/* Typed reads out of a JSON tree: see jsonget.h. */
#include "jsonget.h"

enum { STRING_MAX = 128 * 1024 - 1 };

void json_at(char ret[JSON_AT_MAX], const char *at, const char *key) {
  snprintf(ret, JSON_AT_MAX, "%s%s%s", at, *at && *key != '[' ? "." : "", key);
}

void json_at_index(char ret[JSON_AT_MAX], const char *at, const char *key, size_t i) {
  snprintf(ret, JSON_AT_MAX, "%s%s%s[%zu]", at, *at && *key ? "." : "", key, i);
}

static const char *type_name(json_type type) {
  switch (type) {
    case JSON_OBJECT:
      return "an object";
    case JSON_ARRAY:
      return "an array";
    case JSON_STRING:
      return "a string";
    case JSON_INTEGER:
      return "a whole number";
    default:
      return "true or false";
  }
}

static int wrong(struct err *err, const char *at, const char *key, const char *expected) {
  char path[JSON_AT_MAX];
  json_at(path, at, key);
  return err_set(err, 0, "bundle", "%s: expected %s", path, expected);
}

int json_get(const json_t *object, const char *at, const char *key, json_type type, bool required, json_t **ret, struct err *err) {
  json_t *value = json_object_get(object, key);
  if (!value || json_is_null(value)) return required ? wrong(err, at, key, type_name(type)) : 0;
  json_type have = json_typeof(value);
  if (have == JSON_FALSE) have = JSON_TRUE;
  if (have != type) return wrong(err, at, key, type_name(type));
  *ret = value;
  return 0;
}

static bool string_ok(const json_t *value) {
  return json_is_string(value) && json_string_length(value) == strlen(json_string_value(value)) && json_string_length(value) <= STRING_MAX;
}

int json_get_string(const json_t *object, const char *at, const char *key, bool required, const char **ret, struct err *err) {
  json_t *value = NULL;
  int r = json_get(object, at, key, JSON_STRING, required, &value, err);
  if (r < 0 || !value) return r;
  if (!string_ok(value)) return wrong(err, at, key, "a string without NUL, at most 128 KiB");
  *ret = json_string_value(value);
  return 0;
}

int json_get_bool(const json_t *object, const char *at, const char *key, bool *ret, struct err *err) {
  json_t *value = NULL;
  int r = json_get(object, at, key, JSON_TRUE, false, &value, err);
  if (value) *ret = json_is_true(value);
  return r;
}

int json_get_int(const json_t *object, const char *at, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err) {
  json_t *value = NULL;
  int r = json_get(object, at, key, JSON_INTEGER, false, &value, err);
  if (r < 0 || !value) return r;
  if (json_integer_value(value) < min || json_integer_value(value) > max) {
    char expected[80];
    snprintf(expected, sizeof expected, "a number from %lld to %lld", (long long)min, (long long)max);
    return wrong(err, at, key, expected);
  }
  *ret = json_integer_value(value);
  return 0;
}

static int get_array(const json_t *object, const char *at, const char *key, size_t max, json_t **ret, struct err *err) {
  int r = json_get(object, at, key, JSON_ARRAY, false, ret, err);
  if (r < 0 || !*ret || json_array_size(*ret) <= max) return r;
  char expected[64];
  snprintf(expected, sizeof expected, "at most %zu entries", max);
  return wrong(err, at, key, expected);
}

int json_get_strings(const json_t *object, const char *at, const char *key, size_t max, const char ***ret, size_t *ret_n, struct err *err) {
  json_t *array = NULL, *item;
  size_t i;
  int r = get_array(object, at, key, max, &array, err);
  if (r < 0 || !array) return r;
  cleanup_free const char **list = calloc(json_array_size(array) + 1, sizeof *list);
  if (!list) return err_set(err, ENOMEM, "bundle", "%s", key);
  json_array_foreach(array, i, item) {
    char path[JSON_AT_MAX];
    if (!string_ok(item)) {
      json_at_index(path, at, key, i);
      return err_set(err, 0, "bundle", "%s: expected a string", path);
    }
    list[i] = json_string_value(item);
  }
  *ret = list;
  list = NULL;
  if (ret_n) *ret_n = json_array_size(array);
  return 0;
}

int json_get_objects(const json_t *object, const char *at, const char *key, size_t max, json_t **ret, struct err *err) {
  size_t i;
  json_t *item;
  int r = get_array(object, at, key, max, ret, err);
  if (r < 0 || !*ret) return r;
  json_array_foreach(*ret, i, item) {
    char path[JSON_AT_MAX];
    if (json_is_object(item)) continue;
    json_at_index(path, at, key, i);
    return err_set(err, 0, "bundle", "%s: expected an object", path);
  }
  return 0;
}
