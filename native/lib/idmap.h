/* Which user and group ids exist in the present user namespace. */
#pragma once
#include "util.h"

struct idmap {
  size_t n;
  uint64_t total; /* how many ids are mapped */
  struct {
    uint32_t first, count;
  } * range;
};

/* Reads /proc/self/uid_map or gid_map (user_namespaces(7)). Free with idmap_free. */
int idmap_read(const char *path, struct idmap *ret, struct err *err);
/* True when files can be given this id here; chown(2) says EINVAL for all others. */
bool idmap_has(const struct idmap *map, int64_t id);
void idmap_free(struct idmap *map);
