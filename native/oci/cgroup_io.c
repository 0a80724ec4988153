/* linux.resources.blockIO: see cgroup_limits.h. */
#include "cgroup_convert.h"
#include "cgroup_limits.h"

/* The scheduler BFQ has files of its own, and numbers as v1's; the other ones are of io.cost, or of CFQ, long gone. */
struct weights {
  const char *file, *of_device;
  bool convert; /* to 1..10000 */
};
static const struct weights v2_weights[] = {{"io.bfq.weight", "io.bfq.weight", false}, {"io.weight", "io.weight", true}};
static const struct weights v1_weights[] = {{"blkio.weight", "blkio.weight_device", false},
                                            {"blkio.bfq.weight", "blkio.bfq.weight_device", false}};

static int put_weight(const struct cg_limits *l, const struct oci_block_weight *device, int64_t weight) {
  const bool v2 = cg_is_v2(l, CG_IO);
  const struct weights *table = v2 ? v2_weights : v1_weights;
  char line[80];
  int r = 0;
  for (size_t i = 0; i < 2; i++) {
    const long long value = table[i].convert ? (long long)cg_io_weight((uint64_t)weight) : (long long)weight;
    const char *file = device ? table[i].of_device : table[i].file;
    bool ignored;
    const int dir = cg_dir(l->set, CG_IO, &ignored);
    if (device)
      snprintf(line, sizeof line, "%lld:%lld %lld", (long long)device->major, (long long)device->minor, value);
    else
      snprintf(line, sizeof line, "%lld", value);
    r = dir < 0 ? -ENOENT : cg_write(dir, file, line);
    /* io.weight is there without io.cost on the device, and takes nothing (EOPNOTSUPP). */
    if (r != -ENOENT) return r == 0 ? 0 : err_set(l->err, -r, "cgroup", "%s=%s", file, line);
  }
  return cg_put(l, CG_IO, table[1].file, line, false);
}

static int put_rates(const struct cg_limits *l) {
  static const char *const keys[OCI_BLOCK_RATES] = {"rbps", "wbps", "riops", "wiops"};
  static const char *const files[OCI_BLOCK_RATES] = {"blkio.throttle.read_bps_device", "blkio.throttle.write_bps_device",
                                                     "blkio.throttle.read_iops_device", "blkio.throttle.write_iops_device"};
  const bool v2 = cg_is_v2(l, CG_IO);
  for (size_t k = 0; k < OCI_BLOCK_RATES; k++)
    for (size_t i = 0; i < l->r->rates[k].n; i++) {
      const struct oci_block_rate *rate = &l->r->rates[k].rate[i];
      char line[120], number[24];
      snprintf(number, sizeof number, "%llu", (unsigned long long)rate->rate);
      /* 0 takes a limit of v1 away; cgroup2 has a word for that. */
      if (v2)
        snprintf(line, sizeof line, "%lld:%lld %s=%s", (long long)rate->major, (long long)rate->minor, keys[k],
                 rate->rate ? number : "max");
      else
        snprintf(line, sizeof line, "%lld:%lld %s", (long long)rate->major, (long long)rate->minor, number);
      int r = cg_put(l, CG_IO, v2 ? "io.max" : files[k], line, false);
      if (r < 0) return r;
    }
  return 0;
}

int cg_limit_io(const struct cg_limits *l) {
  const struct oci_resources *r = l->r;
  int done = r->block_weight > 0 ? put_weight(l, NULL, r->block_weight) : 0;
  /* Of CFQ alone, which went with Linux 5.0. */
  if (done == 0 && r->block_leaf_weight > 0 && !cg_is_v2(l, CG_IO)) {
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)r->block_leaf_weight);
    done = cg_put(l, CG_IO, "blkio.leaf_weight", text, true);
  }
  for (size_t i = 0; i < r->n_weight_devices && done == 0; i++)
    if (r->weight_devices[i].weight > 0) done = put_weight(l, &r->weight_devices[i], r->weight_devices[i].weight);
  return done == 0 ? put_rates(l) : done;
}
