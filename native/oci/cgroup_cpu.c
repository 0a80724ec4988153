/* linux.resources.cpu: see cgroup_limits.h. */
#include "cgroup_convert.h"
#include "cgroup_limits.h"

static bool said(int64_t value) {
  return value != OCI_UNSET && value != 0;
}

/* --- cgroup2 --- */

/* The quota that is set, for a period that is said alone. */
static void quota_of_now(const struct cg_limits *l, char ret[32]) {
  char text[64];
  bool v2;
  const int dir = cg_dir(l->set, CG_CPU, &v2);
  if (dir < 0 || cg_read(dir, "cpu.max", text, sizeof text) < 0) strcpy(text, "max");
  snprintf(ret, 32, "%.*s", (int)(strcspn(text, " \n") % 31), text);
}

static int burst_v2(const struct cg_limits *l, bool optional) {
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)l->r->cpu_burst);
  return cg_put(l, CG_CPU, "cpu.max.burst", text, optional);
}

/* cpu.max is "QUOTA PERIOD"; the burst may at no time be more than the quota. */
static int bandwidth_v2(const struct cg_limits *l) {
  const struct oci_resources *r = l->r;
  char line[64], quota[32] = "max";
  int done = 0;
  if (said(r->cpu_quota) || said(r->cpu_period)) {
    bool v2;
    const int dir = cg_dir(l->set, CG_CPU, &v2);
    if (r->cpu_quota > 0) snprintf(quota, sizeof quota, "%lld", (long long)r->cpu_quota);
    if (!said(r->cpu_quota)) quota_of_now(l, quota);
    if (said(r->cpu_period))
      snprintf(line, sizeof line, "%s %lld", quota, (long long)r->cpu_period);
    else
      snprintf(line, sizeof line, "%s", quota);
    done = dir < 0 ? -ENOENT : cg_write(dir, "cpu.max", line);
    if (done == -EINVAL && r->cpu_burst != OCI_UNSET) (void)burst_v2(l, true);
    if (done < 0) done = cg_put(l, CG_CPU, "cpu.max", line, r->cpu_quota == -1 && !said(r->cpu_period));
  }
  return done == 0 && r->cpu_burst != OCI_UNSET ? burst_v2(l, r->cpu_burst == 0) : done;
}

static int limit_v2(const struct cg_limits *l) {
  const struct oci_resources *r = l->r;
  char weight[24];
  if (r->cpu_realtime_runtime > 0 || r->cpu_realtime_period > 0)
    return err_set(l->err, 0, "cgroup", "cgroup2 has no limits of real-time scheduling: cpu.realtimeRuntime, cpu.realtimePeriod");
  int done = r->cpu_idle == OCI_UNSET ? 0 : cg_put(l, CG_CPU, "cpu.idle", r->cpu_idle ? "1" : "0", r->cpu_idle == 0);
  /* Idle is a weight of its own. */
  snprintf(weight, sizeof weight, "%llu", (unsigned long long)(said(r->cpu_shares) ? cg_weight_of_shares((uint64_t)r->cpu_shares) : 0));
  if (done == 0 && said(r->cpu_shares) && r->cpu_idle != 1) done = cg_put(l, CG_CPU, "cpu.weight", weight, false);
  return done == 0 ? bandwidth_v2(l) : done;
}

/* --- v1 --- */

static int pair_v1(const struct cg_limits *l, const char *period_file, int64_t period, const char *quota_file, int64_t quota) {
  char text[24];
  bool v2;
  const int dir = cg_dir(l->set, CG_CPU, &v2);
  snprintf(text, sizeof text, "%lld", (long long)period);
  /* Which of the two fits first depends on what was there before. */
  bool late = said(period) && dir >= 0 && cg_write(dir, period_file, text) == -EINVAL;
  int done = said(period) && !late ? cg_put(l, CG_CPU, period_file, text, false) : 0;
  if (done == 0 && said(quota)) done = cg_put_number(l, CG_CPU, quota_file, NULL, quota);
  return done == 0 && late ? cg_put(l, CG_CPU, period_file, text, false) : done;
}

static int limit_v1(const struct cg_limits *l) {
  const struct oci_resources *r = l->r;
  int done = r->cpu_idle == OCI_UNSET ? 0 : cg_put(l, CG_CPU, "cpu.idle", r->cpu_idle ? "1" : "0", r->cpu_idle == 0);
  if (done == 0 && said(r->cpu_shares) && r->cpu_idle != 1) done = cg_put_number(l, CG_CPU, "cpu.shares", NULL, r->cpu_shares);
  if (done == 0) done = pair_v1(l, "cpu.rt_period_us", r->cpu_realtime_period, "cpu.rt_runtime_us", r->cpu_realtime_runtime);
  /* A new cgroup has none, and who shares out what there is has to be the engine. */
  if (done < 0 && l->err->code == EINVAL && r->cpu_realtime_runtime > 0)
    return err_set(l->err, EINVAL, "cgroup", "cpu.rt_runtime_us=%lld: more than what the cgroup above %s has left",
                   (long long)r->cpu_realtime_runtime, l->set->path);
  /* A burst that is too long for the new quota goes before it. */
  if (done == 0 && r->cpu_burst == 0 && l->update) done = cg_put(l, CG_CPU, "cpu.cfs_burst_us", "0", true);
  if (done == 0) done = pair_v1(l, "cpu.cfs_period_us", r->cpu_period, "cpu.cfs_quota_us", r->cpu_quota);
  return done == 0 && said(r->cpu_burst) ? cg_put_number(l, CG_CPU, "cpu.cfs_burst_us", NULL, r->cpu_burst) : done;
}

int cg_limit_cpu(const struct cg_limits *l) {
  const struct oci_resources *r = l->r;
  if (r->cpu_burst > 0 && r->cpu_quota > 0 && r->cpu_burst > r->cpu_quota)
    return err_set(l->err, 0, "cgroup", "cpu.burst is more than cpu.quota");
  int done = cg_is_v2(l, CG_CPU) ? limit_v2(l) : limit_v1(l);
  if (done == 0 && r->cpus && *r->cpus) done = cg_put(l, CG_CPUSET, "cpuset.cpus", r->cpus, false);
  return done == 0 && r->mems && *r->mems ? cg_put(l, CG_CPUSET, "cpuset.mems", r->mems, false) : done;
}
