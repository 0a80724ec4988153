/* Typed reads out of a JSON tree. An error names the JSON path: `process.args[0]: expected a string`. */
#pragma once
#include <jansson.h>

#include "util.h"

/*
 * All of them: `at` is the object's own path ("" for the root), `key` the member. A member that is absent or null is 0 with *ret
 * as it was, unless `required`. A wrong type or value is -EINVAL. Strings belong to the tree.
 */
int json_get(const json_t *object, const char *at, const char *key, json_type type, bool required, json_t **ret, struct err *err);
/* A string without NUL inside, at most 128 KiB (what execve(2) takes). */
int json_get_string(const json_t *object, const char *at, const char *key, bool required, const char **ret, struct err *err);
int json_get_bool(const json_t *object, const char *at, const char *key, bool *ret, struct err *err);
int json_get_int(const json_t *object, const char *at, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err);
/* An array of at most `max` strings; *ret is a new NULL-terminated array, the strings are the tree's. */
int json_get_strings(const json_t *object, const char *at, const char *key, size_t max, const char ***ret, size_t *ret_n, struct err *err);
/* An array of at most `max` objects. */
int json_get_objects(const json_t *object, const char *at, const char *key, size_t max, json_t **ret, struct err *err);

/* `key`'s own path, for what is below it: "process.user". */
#define JSON_AT_MAX 256
void json_at(char ret[JSON_AT_MAX], const char *at, const char *key);
void json_at_index(char ret[JSON_AT_MAX], const char *at, const char *key, size_t i);
