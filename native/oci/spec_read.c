/* What the parts of reading an OCI configuration share: see spec_read.h. */
#include "spec_read.h"

static int wrong(struct err *err, const char *at, const char *key, const char *expected) {
  char path[JSON_AT_MAX];
  json_at(path, at, key);
  return err_set(err, 0, "bundle", "%s: expected %s", path, expected);
}

int oci_read_list(const json_t *object, const char *at, const char *key, size_t max, size_t size, oci_element *read, void *ret,
                  size_t *ret_n, struct err *err) {
  json_t *list = NULL, *item;
  size_t i;
  int r = json_get_objects(object, at, key, max, &list, err);
  if (r < 0 || !json_array_size(list)) return r;
  char *elements = calloc(json_array_size(list), size);
  if (!elements) return err_set(err, ENOMEM, "bundle", "%s", key);
  *(void **)ret = elements;
  json_array_foreach(list, i, item) {
    char path[JSON_AT_MAX];
    json_at_index(path, at, key, i);
    *ret_n = i + 1;
    r = read(item, path, elements + i * size, err);
    if (r < 0) return r;
  }
  return 0;
}

int oci_read_pairs(const json_t *object, const char *at, const char *key, struct oci_pair **ret, size_t *ret_n, struct err *err) {
  json_t *pairs = NULL, *value;
  const char *name;
  int r = json_get(object, at, key, JSON_OBJECT, false, &pairs, err);
  if (r < 0 || !json_object_size(pairs)) return r;
  char path[JSON_AT_MAX];
  json_at(path, at, key);
  cleanup_free struct oci_pair *list = calloc(json_object_size(pairs), sizeof *list);
  size_t n = 0;
  if (!list) return err_set(err, ENOMEM, "bundle", "%s", path);
  json_object_foreach(pairs, name, value) {
    if (!*name) return err_set(err, 0, "bundle", "%s: a name is empty", path);
    list[n].key = name;
    r = json_get_string(pairs, path, name, true, &list[n++].value, err);
    if (r < 0) return r;
  }
  *ret = list;
  *ret_n = n;
  list = NULL;
  return 0;
}

int oci_required(const json_t *object, const char *at, const char *key, struct err *err) {
  const json_t *value = json_object_get(object, key);
  return value && !json_is_null(value) ? 0 : wrong(err, at, key, "a value");
}

int oci_read_number(const json_t *object, const char *at, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err) {
  int r = oci_required(object, at, key, err);
  return r < 0 ? r : json_get_int(object, at, key, min, max, ret, err);
}

int oci_read_text(const json_t *object, const char *at, const char *key, const char **ret, struct err *err) {
  const char *text = NULL;
  int r = json_get_string(object, at, key, false, &text, err);
  if (r == 0 && text && *text) *ret = text;
  return r;
}

int oci_read_path(const json_t *object, const char *at, const char *key, const char **ret, struct err *err) {
  int r = json_get_string(object, at, key, true, ret, err);
  return r == 0 && (*ret)[0] != '/' ? wrong(err, at, key, "an absolute path") : r;
}

static const struct oci_word *find_word(const char *text, const struct oci_word *words, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(text, words[i].word)) return &words[i];
  return NULL;
}

int oci_read_word(const json_t *object, const char *at, const char *key, const struct oci_word *words, size_t n, uint64_t *ret,
                  struct err *err) {
  const char *text = NULL;
  int r = json_get_string(object, at, key, true, &text, err);
  if (r < 0) return r;
  const struct oci_word *word = find_word(text, words, n);
  if (word) {
    *ret = word->value;
    return 0;
  }
  char path[JSON_AT_MAX];
  json_at(path, at, key);
  return err_set(err, 0, "bundle", "%s: unknown word %.64s", path, text);
}

int oci_read_flags(const json_t *object, const char *at, const char *key, const struct oci_word *words, size_t n, uint64_t *ret,
                   struct err *err) {
  cleanup_free const char **list = NULL;
  int r = json_get_strings(object, at, key, OCI_LIST_MAX, &list, NULL, err);
  for (size_t i = 0; r == 0 && list && list[i]; i++) {
    const struct oci_word *word = find_word(list[i], words, n);
    if (!word) {
      char path[JSON_AT_MAX];
      json_at_index(path, at, key, i);
      return err_set(err, 0, "bundle", "%s: unknown word %.64s", path, list[i]);
    }
    *ret |= word->value;
  }
  return r;
}

static int read_extent(const json_t *item, const char *at, void *element, struct err *err) {
  struct oci_id_map *map = element;
  int64_t inside = 0, outside = 0, count = 0;
  int r = oci_read_number(item, at, "containerID", 0, UINT32_MAX - 1, &inside, err);
  if (r == 0) r = oci_read_number(item, at, "hostID", 0, UINT32_MAX - 1, &outside, err);
  if (r == 0) r = oci_read_number(item, at, "size", 1, UINT32_MAX, &count, err);
  if (r < 0) return r;
  /* 2^32-1 is nobody's id: the last one of an extent is below it (user_namespaces(7)). */
  if (inside + count > UINT32_MAX || outside + count > UINT32_MAX) return wrong(err, at, "size", "an extent within 32 bits");
  *map = (struct oci_id_map){(uint32_t)inside, (uint32_t)outside, (uint32_t)count};
  return 0;
}

int oci_read_id_map(const json_t *object, const char *at, const char *key, struct oci_id_map **ret, size_t *ret_n, struct err *err) {
  enum { EXTENTS_MAX = 340 }; /* user_namespaces(7) */
  return oci_read_list(object, at, key, EXTENTS_MAX, sizeof **ret, read_extent, ret, ret_n, err);
}
