/* A pod's own ids: see podids.h. */
#include "podids.h"

static bool overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count) {
  return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

static int read_number(const json_t *triple, size_t i, uint32_t *ret) {
  const json_t *number = json_array_get(triple, i);
  json_int_t value = json_integer_value(number);
  if (!json_is_integer(number) || value < 0 || value > UINT32_MAX) return -EINVAL;
  *ret = (uint32_t)value;
  return 0;
}

static int read_range(const json_t *triple, struct podids_map *map) {
  struct podids_range r;
  if (json_array_size(triple) != 3 || read_number(triple, 0, &r.inside) < 0 || read_number(triple, 1, &r.outside) < 0 ||
      read_number(triple, 2, &r.count) < 0 || r.count == 0)
    return -EINVAL;
  if ((uint64_t)r.inside + r.count > UINT32_MAX || (uint64_t)r.outside + r.count > UINT32_MAX) return -EINVAL;
  for (size_t i = 0; i < map->n; i++) {
    const struct podids_range *other = &map->range[i];
    if (overlap(r.inside, r.count, other->inside, other->count) || overlap(r.outside, r.count, other->outside, other->count))
      return -EINVAL;
  }
  map->range[map->n++] = r;
  return 0;
}

static int64_t outside(const struct podids_map *map, int64_t inside) {
  for (size_t i = 0; i < map->n; i++) {
    const struct podids_range *r = &map->range[i];
    if (inside >= r->inside && inside - r->inside < r->count) return r->outside + (inside - r->inside);
  }
  return -1;
}

static int read_map(const json_t *object, const char *key, const char *at, struct podids_map *ret, struct err *err) {
  size_t i;
  json_t *triple;
  const json_t *list = json_object_get(object, key);
  if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > PODIDS_RANGES_MAX)
    return err_set(err, EINVAL, "bundle", "%s.%s: expected 1 to %d ranges", at, key, PODIDS_RANGES_MAX);
  json_array_foreach(list, i, triple) {
    if (read_range(triple, ret) < 0)
      return err_set(err, EINVAL, "bundle", "%s.%s[%zu]: expected [inside, outside, count] that overlaps no other", at, key, i);
  }
  return outside(ret, 0) < 0 ? err_set(err, EINVAL, "bundle", "%s.%s: no id 0", at, key) : 0;
}

int podids_parse(const char *text, const char *at, struct podids *ret, struct err *err) {
  struct podids ids = {.own = text != NULL};
  *ret = (struct podids){0};
  if (!text) return 0;
  json_error_t where;
  json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &where);
  int r = json_is_object(object) ? 0 : err_set(err, EINVAL, "bundle", "%s: expected a JSON object", at);
  if (r == 0) r = read_map(object, "uids", at, &ids.uids, err);
  if (r == 0) r = read_map(object, "gids", at, &ids.gids, err);
  json_decref(object);
  if (r == 0) *ret = ids;
  return r;
}

int64_t podids_uid(const struct podids *ids, int64_t inside) {
  return ids->own ? outside(&ids->uids, inside) : inside;
}

int64_t podids_gid(const struct podids *ids, int64_t inside) {
  return ids->own ? outside(&ids->gids, inside) : inside;
}

char *podids_text(const struct podids_map *map) {
  enum { LINE = 40 };
  char *text = malloc(map->n * LINE + 1), *p = text;
  if (!text) return NULL;
  *p = 0;
  for (size_t i = 0; i < map->n; i++) p += sprintf(p, "%u %u %u\n", map->range[i].inside, map->range[i].outside, map->range[i].count);
  return text;
}
