/* JSON text as Go programs write it: see jsonload.h. */
#include "jsonload.h"

#include <sys/auxv.h>

#include "jsonget.h"
#include "number.h"

/* How a number above 2^63-1 stands in the tree: an object, so that only json_uint64 takes it for a number. */
#define BIG "uint64"
enum { DIGITS_INT64 = 19, DIGITS_UINT64 = 20 };

/* The tables' seed out of what the kernel gave at execve(2) (getauxval(3), AT_RANDOM), where jansson would open /dev/urandom. */
static void seed_tables(void) {
  const void *random = (const void *)getauxval(AT_RANDOM);  // NOLINT(performance-no-int-to-ptr): it is an address
  size_t seed = 0;
  if (random) memcpy(&seed, random, sizeof seed);
  if (seed) json_object_seed(seed);
}

/* Where the next whole number above INT64_MAX and not above UINT64_MAX begins at or after `p`, and its length; NULL: there is none. */
static const char *find_big(const char *p, const char *end, size_t *ret_len) {
  bool in_string = false;
  for (; p < end; p++) {
    if (*p == '"') in_string = !in_string;
    if (in_string) {
      if (*p == '\\') p++;
      continue;
    }
    if (*p != '-' && (*p < '0' || *p > '9')) continue;
    const char *first = p;
    while (p < end && *p && strchr("+-.0123456789Ee", *p)) p++;
    size_t len = (size_t)(p-- - first);
    if (len < DIGITS_INT64 || len > DIGITS_UINT64 || *first == '0') continue; /* JSON has no leading zeros */
    char digits[DIGITS_UINT64 + 1];
    uint64_t value;
    memcpy(digits, first, len);
    digits[len] = 0;
    if (number_parse(digits, false, (uint64_t)INT64_MAX + 1, UINT64_MAX, &value) < 0) continue;
    *ret_len = len;
    return first;
  }
  return NULL;
}

json_t *json_load(const char *text, size_t len, json_error_t *where) {
  const char *end = text + len, *from = text;
  size_t n;
  seed_tables();
  const char *big = find_big(text, end, &n);
  if (!big) return json_loadb(text, len, JSON_REJECT_DUPLICATES, where);

  cleanup_free char *copy = NULL;
  size_t copy_len = 0;
  FILE *f = open_memstream(&copy, &copy_len);
  if (!f) return NULL;
  for (; big; big = find_big(from, end, &n)) {
    fwrite(from, 1, (size_t)(big - from), f);
    fprintf(f, "{\"" BIG "\":\"%.*s\"}", (int)n, big);
    from = big + n;
  }
  fwrite(from, 1, (size_t)(end - from), f);
  if (fclose(f) != 0) return NULL;
  return json_loadb(copy, copy_len, JSON_REJECT_DUPLICATES, where);
}

bool json_uint64(const json_t *value, uint64_t *ret) {
  if (json_is_integer(value)) {
    if (json_integer_value(value) < 0) return false;
    *ret = (uint64_t)json_integer_value(value);
    return true;
  }
  const char *digits = json_object_size(value) == 1 ? json_string_value(json_object_get(value, BIG)) : NULL;
  return digits && number_parse(digits, false, 0, UINT64_MAX, ret) == 0;
}

int json_get_uint64(const json_t *object, const char *at, const char *key, uint64_t max, uint64_t *ret, struct err *err) {
  const json_t *value = json_object_get(object, key);
  uint64_t number;
  if (!value || json_is_null(value)) return 0;
  if (!json_uint64(value, &number) || number > max) {
    char path[JSON_AT_MAX];
    json_at(path, at, key);
    return err_set(err, 0, "bundle", "%s: expected a whole number from 0 to %llu", path, (unsigned long long)max);
  }
  *ret = number;
  return 0;
}
