/* Numbers of cgroup v1, in which the runtime-spec speaks, as cgroup2 has them. Pure. */
#pragma once
#include "resources.h"

/*
 * cpu.shares (2 to 262144, 1024 is usual) as cpu.weight (1 to 10000, 100 is usual). By the curve through those three points that runc,
 * crun and Kubernetes agreed on in 2025; the line they used before gave a usual container 39. 0 stays 0: not said.
 */
uint64_t cg_weight_of_shares(uint64_t shares);
/* blkio.weight (10 to 1000) as io.weight (1 to 10000). */
uint64_t cg_io_weight(uint64_t weight);
/*
 * memory.swap.max: `swap` without the memory. OCI_UNSET when nothing is said, -1 for unlimited; -EINVAL and words when they contradict.
 */
int cg_swap_max(const struct oci_resources *r, int64_t *ret, struct err *err);
/* A list of CPUs or nodes, "0-3,7", as a bit mask in bytes, the lowest first: for systemd. -EINVAL. */
int cg_list_to_bits(const char *list, unsigned char *bits, size_t size, size_t *ret_len);
/* systemd's CPUQuotaPerSecUSec, rounded up to 10 ms as systemd itself does (it counts per cents). UINT64_MAX: unlimited. */
uint64_t cg_quota_per_second(int64_t quota, int64_t period);
