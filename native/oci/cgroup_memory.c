/* linux.resources.memory: see cgroup_limits.h. */
#include "cgroup_convert.h"
#include "cgroup_limits.h"

/* Linux's own, not in errno.h: what a kernel without accounting of kernel memory (5.16 on) says. */
#define ENOTSUPP 524

static int number_to(const struct cg_limits *l, const char *file, int64_t value) {
  char text[24];
  bool v2;
  const int dir = cg_dir(l->set, CG_MEMORY, &v2);
  snprintf(text, sizeof text, "%lld", (long long)value);
  return dir < 0 ? -ENOENT : cg_write(dir, file, text);
}

/*
 * The limit of memory and swap may at no time be less than that of memory alone: raised first, lowered last. Without accounting of swap
 * there is no such file.
 */
static int limit_v1(const struct cg_limits *l) {
  static const char limit[] = "memory.limit_in_bytes", both[] = "memory.memsw.limit_in_bytes";
  const struct oci_resources *r = l->r;
  const int64_t swap = r->memory_swap == 0 ? OCI_UNSET : r->memory_swap;
  int64_t ignored;
  /* What contradicts itself is no matter of the version. */
  int done = cg_swap_max(r, &ignored, l->err);
  if (done < 0) return done;
  const bool has_limit = r->memory_limit != OCI_UNSET && r->memory_limit != 0;
  bool written = false;
  if (has_limit && number_to(l, limit, r->memory_limit) != 0) {
    if (swap != OCI_UNSET || r->memory_limit == -1) written = number_to(l, both, swap == OCI_UNSET ? -1 : swap) == 0;
    done = cg_put_number(l, CG_MEMORY, limit, NULL, r->memory_limit);
  }
  return done == 0 && swap != OCI_UNSET && !written ? cg_put_number(l, CG_MEMORY, both, NULL, swap) : done;
}

static int more_v1(const struct cg_limits *l) {
  const struct oci_resources *r = l->r;
  int done = cg_put_number(l, CG_MEMORY, "memory.swappiness", NULL, r->memory_swappiness);
  if (done < 0) return done;
  if (r->disable_oom_killer == 1 || (r->disable_oom_killer == 0 && l->update))
    done = cg_put(l, CG_MEMORY, "memory.oom_control", r->disable_oom_killer == 1 ? "1" : "0", r->disable_oom_killer == 0);
  /* Not recommended by the runtime-spec, and no longer there in newer kernels. */
  if (done == 0 && r->memory_kernel != OCI_UNSET && r->memory_kernel != 0) {
    int one = number_to(l, "memory.kmem.limit_in_bytes", r->memory_kernel);
    if (one < 0 && one != -ENOENT && one != -ENOTSUPP && one != -EOPNOTSUPP)
      done = err_set(l->err, -one, "cgroup", "memory.kmem.limit_in_bytes");
  }
  if (done == 0 && r->memory_kernel_tcp != OCI_UNSET && r->memory_kernel_tcp != 0) {
    int one = number_to(l, "memory.kmem.tcp.limit_in_bytes", r->memory_kernel_tcp);
    if (one < 0 && one != -ENOENT && one != -ENOTSUPP && one != -EOPNOTSUPP)
      done = err_set(l->err, -one, "cgroup", "memory.kmem.tcp.limit_in_bytes");
  }
  return done;
}

/* cgroup2 kills where v1 refuses: checkBeforeUpdate asks for the latter. */
static int limit_v2(const struct cg_limits *l) {
  const struct oci_resources *r = l->r;
  bool v2;
  uint64_t used;
  int64_t swap;
  int done = cg_swap_max(r, &swap, l->err);
  if (done < 0) return done;
  if (r->check_before_update == 1 && r->memory_limit > 0 && cg_read_number(cg_dir(l->set, CG_MEMORY, &v2), "memory.current", NULL, &used) &&
      used > (uint64_t)r->memory_limit)
    return err_set(l->err, EBUSY, "cgroup", "memory.max=%lld: %llu bytes are in use", (long long)r->memory_limit, (unsigned long long)used);
  /* No swap beyond the limit of memory and swap together, where there is no accounting of swap, is not asking for much. */
  char text[24] = "max";
  if (swap >= 0) snprintf(text, sizeof text, "%lld", (long long)swap);
  if (swap != OCI_UNSET) done = cg_put(l, CG_MEMORY, "memory.swap.max", text, swap <= 0);
  return done == 0 && r->memory_limit != 0 ? cg_put_number(l, CG_MEMORY, NULL, "memory.max", r->memory_limit) : done;
}

int cg_limit_memory(const struct cg_limits *l) {
  const bool v2 = cg_is_v2(l, CG_MEMORY);
  int done = v2 ? limit_v2(l) : limit_v1(l);
  if (done == 0 && l->r->memory_reservation != 0)
    done = cg_put_number(l, CG_MEMORY, "memory.soft_limit_in_bytes", "memory.low", l->r->memory_reservation);
  return done == 0 && !v2 ? more_v1(l) : done;
}
