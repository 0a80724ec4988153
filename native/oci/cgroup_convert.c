/* Numbers of cgroup v1 as cgroup2 has them: see cgroup_convert.h. */
#include "cgroup_convert.h"

#include <math.h>

uint64_t cg_weight_of_shares(uint64_t shares) {
  if (shares == 0) return 0;
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double l = log2((double)shares);
  return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

uint64_t cg_io_weight(uint64_t weight) {
  if (weight <= 10) return 1;
  return weight >= 1000 ? 10000 : 1 + (weight - 10) * 9999 / 990;
}

int cg_swap_max(const struct oci_resources *r, int64_t *ret, struct err *err) {
  const int64_t swap = r->memory_swap, limit = r->memory_limit;
  *ret = OCI_UNSET;
  /* 0 is what engines say for "not said". */
  if (swap == OCI_UNSET || swap == 0) {
    /* Unlimited memory has unlimited swap: else `update --memory -1` would leave the old limit of swap. */
    if (limit == -1) *ret = -1;
    return 0;
  }
  if (swap == -1) {
    *ret = -1;
    return 0;
  }
  if (limit == OCI_UNSET || limit == 0 || limit == -1)
    return err_set(err, 0, "cgroup", "memory.swap is memory and swap together, and cannot be limited without memory.limit");
  if (swap < limit) return err_set(err, 0, "cgroup", "memory.swap is memory and swap together, and cannot be less than memory.limit");
  *ret = swap - limit;
  return 0;
}

static bool read_number(const char **p, unsigned long *ret) {
  char *end;
  if (**p < '0' || **p > '9') return false;
  *ret = strtoul(*p, &end, 10);
  *p = end;
  return true;
}

int cg_list_to_bits(const char *list, unsigned char *bits, size_t size, size_t *ret_len) {
  memset(bits, 0, size);
  *ret_len = 0;
  for (const char *p = list; *p;) {
    unsigned long from, to;
    if (!read_number(&p, &from)) return -EINVAL;
    to = from;
    if (*p == '-' && (p++, !read_number(&p, &to))) return -EINVAL;
    if (to < from || to >= size * 8) return -EINVAL;
    for (unsigned long i = from; i <= to; i++) bits[i / 8] |= (unsigned char)(1u << i % 8);
    if (*ret_len < to / 8 + 1) *ret_len = to / 8 + 1;
    if (*p == ',' && !p[1]) return -EINVAL;
    if (*p && *p++ != ',') return -EINVAL;
  }
  return *ret_len ? 0 : -EINVAL;
}

uint64_t cg_quota_per_second(int64_t quota, int64_t period) {
  if (quota <= 0) return UINT64_MAX;
  const uint64_t usual = 100000, by = period > 0 ? (uint64_t)period : usual;
  uint64_t us;
  if (__builtin_mul_overflow((uint64_t)quota, 1000000u, &us)) return UINT64_MAX;
  us /= by;
  return (us + 9999) / 10000 * 10000;
}
