/* linux.resources of an OCI configuration, and `podrt update`: what a cgroup shall limit. */
#pragma once
#include <jansson.h>

#include "lib/util.h"

/* For numbers that are not said. */
#define OCI_UNSET INT64_MIN

struct oci_device_rule {
  bool allow;
  char type;            /* 'a', 'b', 'c' */
  int64_t major, minor; /* -1: any */
  char access[4];       /* of "rwm" */
};
struct oci_block_weight {
  int64_t major, minor, weight, leaf_weight;
};
struct oci_block_rate {
  int64_t major, minor;
  uint64_t rate;
};
struct oci_huge_page {
  const char *size; /* "2MB" */
  uint64_t limit;
};
struct oci_rdma {
  const char *device;
  int64_t handles, objects;
};
struct oci_unified {
  const char *file, *value;
};

struct oci_resources {
  int64_t memory_limit, memory_reservation, memory_swap, memory_kernel, memory_kernel_tcp, memory_swappiness; /* -1: unlimited */
  int disable_oom_killer, use_hierarchy, check_before_update;                                                 /* -1: not said */
  int64_t cpu_shares, cpu_quota, cpu_burst, cpu_period, cpu_realtime_runtime, cpu_realtime_period, cpu_idle;
  const char *cpus, *mems;
  int64_t pids_limit;
  int64_t block_weight, block_leaf_weight;
  struct oci_block_weight *weight_devices;
  size_t n_weight_devices;
  enum { OCI_READ_BPS, OCI_WRITE_BPS, OCI_READ_IOPS, OCI_WRITE_IOPS, OCI_BLOCK_RATES } block_rate_names; /* names the index of rates[] */
  struct {
    struct oci_block_rate *rate;
    size_t n;
  } rates[OCI_BLOCK_RATES];
  struct oci_huge_page *huge_pages;
  size_t n_huge_pages;
  int64_t net_class;
  struct oci_net_priority {
    const char *name;
    uint32_t priority;
  } * net_priorities;
  size_t n_net_priorities;
  struct oci_rdma *rdma;
  size_t n_rdma;
  struct oci_unified *unified;
  size_t n_unified;
  bool has_devices; /* the list is there */
  struct oci_device_rule *devices;
  size_t n_devices;
};

/* All unset. */
void oci_resources_init(struct oci_resources *r);
/* `tree` may be NULL (nothing said). Strings stay the tree's. Wrong types and values: err names the JSON path below `at`. */
int oci_resources_parse(const json_t *tree, const char *at, struct oci_resources *ret, struct err *err);
void oci_resources_free(struct oci_resources *r);
/*
 * What cgroup2 has no file for and runtime-spec lets pass: the name of the first such member that is said from `*next` on (0 to begin
 * with), or NULL. The kernel's cgroup-v2.rst, "Deprecated v1 Core Features" and the memory controller.
 */
const char *oci_resources_not_on_v2(const struct oci_resources *r, size_t *next);
