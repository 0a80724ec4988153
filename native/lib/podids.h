/* A pod's own ids: io.podgen.userns, which says how those of its user namespace lie in the user's (pause's). */
#pragma once
#include <jansson.h>

#include "util.h"

enum { PODIDS_RANGES_MAX = 32 };

struct podids_range {
  uint32_t inside, outside, count; /* in the pod's namespace; in the user's, where 0 is the user */
};
struct podids_map {
  struct podids_range range[PODIDS_RANGES_MAX];
  size_t n;
};
struct podids {
  bool own; /* false: the pod has the user's namespace, and the maps are empty */
  struct podids_map uids, gids;
};

/*
 * Reads `{"uids":[[INSIDE,OUTSIDE,COUNT],…],"gids":[…]}`. Both have an id 0 inside, nothing twice on either side, nothing from
 * UINT32_MAX on, which is no id. NULL leaves *ret without maps. -EINVAL, and err names `at` and what is wrong.
 */
int podids_parse(const char *text, const char *at, struct podids *ret, struct err *err);

/* An id of the pod as the user's namespace has it; without maps the same. -1: it has no such id. */
int64_t podids_uid(const struct podids *ids, int64_t inside);
int64_t podids_gid(const struct podids *ids, int64_t inside);

/* The text that the kernel takes in uid_map and gid_map (user_namespaces(7)): a new string, NULL when out of memory. */
char *podids_text(const struct podids_map *map);
