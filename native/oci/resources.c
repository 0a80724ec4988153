/* linux.resources of an OCI configuration: see resources.h and the runtime-spec's config-linux.md, "Control groups". */
#include "resources.h"

#include "resources_lists.h"

/* --- numbers --- */

struct number {
  const char *key;
  size_t at; /* of the member in struct oci_resources */
  int64_t min, max;
};
struct group {
  const char *key;
  const struct number *numbers;
  size_t n;
};

#define NUMBER(key, member, min, max) \
  { key, offsetof(struct oci_resources, member), min, max }

static const struct number memory[] = {NUMBER("limit", memory_limit, -1, INT64_MAX),
                                       NUMBER("reservation", memory_reservation, -1, INT64_MAX),
                                       NUMBER("swap", memory_swap, -1, INT64_MAX),
                                       NUMBER("kernel", memory_kernel, -1, INT64_MAX),
                                       NUMBER("kernelTCP", memory_kernel_tcp, -1, INT64_MAX),
                                       NUMBER("swappiness", memory_swappiness, 0, 100)};
static const struct number cpu[] = {NUMBER("shares", cpu_shares, 0, INT64_MAX),
                                    NUMBER("quota", cpu_quota, -1, INT64_MAX),
                                    NUMBER("burst", cpu_burst, 0, INT64_MAX),
                                    NUMBER("period", cpu_period, 0, INT64_MAX),
                                    NUMBER("realtimeRuntime", cpu_realtime_runtime, -1, INT64_MAX),
                                    NUMBER("realtimePeriod", cpu_realtime_period, 0, INT64_MAX),
                                    NUMBER("idle", cpu_idle, 0, 1)};
static const struct number pids[] = {NUMBER("limit", pids_limit, INT64_MIN + 1, INT64_MAX)};
static const struct number block[] = {NUMBER("weight", block_weight, 0, 1000), NUMBER("leafWeight", block_leaf_weight, 0, 1000)};
static const struct number net[] = {NUMBER("classID", net_class, 0, UINT32_MAX)};
static const struct group groups[] = {{"memory", memory, N_ELEMENTS(memory)},
                                      {"cpu", cpu, N_ELEMENTS(cpu)},
                                      {"pids", pids, N_ELEMENTS(pids)},
                                      {"blockIO", block, N_ELEMENTS(block)},
                                      {"network", net, N_ELEMENTS(net)}};

static int64_t *member(struct oci_resources *r, size_t at) {
  return (int64_t *)((char *)r + at);
}

void oci_resources_init(struct oci_resources *r) {
  *r = (struct oci_resources){.disable_oom_killer = -1, .use_hierarchy = -1, .check_before_update = -1};
  for (size_t i = 0; i < N_ELEMENTS(groups); i++)
    for (size_t k = 0; k < groups[i].n; k++) *member(r, groups[i].numbers[k].at) = OCI_UNSET;
}

/* --- reading --- */

static int read_bool(const json_t *object, const char *at, const char *key, int *ret, struct err *err) {
  bool value = *ret == 1;
  if (!json_object_get(object, key) || json_is_null(json_object_get(object, key))) return 0;
  int r = json_get_bool(object, at, key, &value, err);
  if (r == 0) *ret = value;
  return r;
}

static int read_numbers(const json_t *object, const char *at, const struct group *group, struct oci_resources *ret, struct err *err) {
  int r = 0;
  for (size_t i = 0; i < group->n && r == 0; i++) {
    const struct number *n = &group->numbers[i];
    const json_t *value = json_object_get(object, n->key);
    if (!value || json_is_integer(value) || n->max != INT64_MAX)
      r = json_get_int(object, at, n->key, n->min, n->max, member(ret, n->at), err);
    else
      r = oci_resources_huge(object, at, n->key, member(ret, n->at), err);
  }
  return r;
}

static int read_more(const json_t *object, const char *at, const char *key, struct oci_resources *ret, struct err *err) {
  int r = 0;
  if (!strcmp(key, "memory")) {
    r = read_bool(object, at, "disableOOMKiller", &ret->disable_oom_killer, err);
    if (r == 0) r = read_bool(object, at, "useHierarchy", &ret->use_hierarchy, err);
    if (r == 0) r = read_bool(object, at, "checkBeforeUpdate", &ret->check_before_update, err);
  } else if (!strcmp(key, "cpu")) {
    r = json_get_string(object, at, "cpus", false, &ret->cpus, err);
    if (r == 0) r = json_get_string(object, at, "mems", false, &ret->mems, err);
  } else if (!strcmp(key, "blockIO")) {
    r = oci_resources_block(object, at, ret, err);
  } else if (!strcmp(key, "network")) {
    r = oci_resources_priorities(object, at, ret, err);
  }
  return r;
}

static int read_all(const json_t *tree, const char *at, struct oci_resources *ret, struct err *err) {
  int r = 0;
  for (size_t i = 0; i < N_ELEMENTS(groups) && r == 0; i++) {
    char path[JSON_AT_MAX];
    json_t *object = NULL;
    r = json_get(tree, at, groups[i].key, JSON_OBJECT, false, &object, err);
    if (r < 0 || !object) continue;
    json_at(path, at, groups[i].key);
    r = read_numbers(object, path, &groups[i], ret, err);
    if (r == 0) r = read_more(object, path, groups[i].key, ret, err);
  }
  if (r == 0) r = oci_resources_devices(tree, at, ret, err);
  if (r == 0) r = oci_resources_huge_pages(tree, at, ret, err);
  if (r == 0) r = oci_resources_rdma(tree, at, ret, err);
  return r == 0 ? oci_resources_unified(tree, at, ret, err) : r;
}

int oci_resources_parse(const json_t *tree, const char *at, struct oci_resources *ret, struct err *err) {
  oci_resources_init(ret);
  if (!tree || json_is_null(tree)) return 0;
  if (!json_is_object(tree)) return err_set(err, 0, "config", "%s: expected an object", at);
  int r = read_all(tree, at, ret, err);
  if (r < 0) oci_resources_free(ret);
  return r;
}

void oci_resources_free(struct oci_resources *r) {
  free(r->weight_devices);
  for (size_t i = 0; i < OCI_BLOCK_RATES; i++) free(r->rates[i].rate);
  free(r->huge_pages);
  free(r->net_priorities);
  free(r->rdma);
  free(r->unified);
  free(r->devices);
  oci_resources_init(r);
}

const char *oci_resources_not_on_v2(const struct oci_resources *r, size_t *next) {
  const struct {
    const char *name;
    bool said;
  } list[] = {{"memory.kernel", r->memory_kernel > 0},
              {"memory.kernelTCP", r->memory_kernel_tcp > 0},
              {"memory.swappiness", r->memory_swappiness != OCI_UNSET},
              {"memory.disableOOMKiller", r->disable_oom_killer == 1},
              {"blockIO.leafWeight", r->block_leaf_weight > 0}};
  while (*next < N_ELEMENTS(list)) {
    const size_t i = (*next)++;
    if (list[i].said) return list[i].name;
  }
  return NULL;
}
