/* When and where a process of an OCI configuration runs: scheduler, ioPriority, execCPUAffinity; see spec.h. */
#include <linux/ioprio.h>
#include <linux/sched.h>

#include "spec_read.h"

/* sched(7). SCHED_ISO, which the runtime-spec lists, has a number in the kernel and was never made: refused as unknown. */
static const struct oci_word policies[] = {
    {"SCHED_OTHER", SCHED_NORMAL}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
    {"SCHED_BATCH", SCHED_BATCH},  {"SCHED_IDLE", SCHED_IDLE}, {"SCHED_DEADLINE", SCHED_DEADLINE},
};
static const struct oci_word flags[] = {
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},   {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},         {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},       {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
};
static const struct oci_word classes[] = {
    {"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
    {"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
    {"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
};

static int read_scheduler(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  json_t *section = NULL;
  uint64_t policy = 0;
  int64_t nice = 0, priority = 0;
  char path[JSON_AT_MAX];
  int r = json_get(tree, at, "scheduler", JSON_OBJECT, false, &section, err);
  if (r < 0 || !section) return r;
  json_at(path, at, "scheduler");
  r = oci_read_word(section, path, "policy", policies, N_ELEMENTS(policies), &policy, err);
  if (r == 0) r = json_get_int(section, path, "nice", -20, 19, &nice, err);
  if (r == 0) r = json_get_int(section, path, "priority", 0, 99, &priority, err);
  if (r == 0) r = oci_read_flags(section, path, "flags", flags, N_ELEMENTS(flags), &p->scheduler.flags, err);
  if (r == 0) r = json_get_uint64(section, path, "runtime", UINT64_MAX, &p->scheduler.runtime, err);
  if (r == 0) r = json_get_uint64(section, path, "deadline", UINT64_MAX, &p->scheduler.deadline, err);
  if (r == 0) r = json_get_uint64(section, path, "period", UINT64_MAX, &p->scheduler.period, err);
  if (r < 0) return r;
  /* sched_setattr(2) refuses the ones and quietly leaves out the others. */
  bool realtime = policy == SCHED_FIFO || policy == SCHED_RR;
  if (realtime != (priority > 0))
    return err_set(err, 0, "bundle", "%s.priority: expected %s", path, realtime ? "1 to 99 with this policy" : "0 with this policy");
  if (policy != SCHED_DEADLINE && (p->scheduler.runtime || p->scheduler.deadline || p->scheduler.period))
    return err_set(err, 0, "bundle", "%s: runtime, deadline and period are SCHED_DEADLINE's", path);
  p->scheduler.set = true;
  p->scheduler.policy = (int)policy;
  p->scheduler.nice = (int)nice;
  p->scheduler.priority = (int)priority;
  return 0;
}

static int read_io_priority(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  json_t *section = NULL;
  uint64_t class = 0;
  int64_t priority = 0;
  char path[JSON_AT_MAX];
  int r = json_get(tree, at, "ioPriority", JSON_OBJECT, false, &section, err);
  if (r < 0 || !section) return r;
  json_at(path, at, "ioPriority");
  r = oci_read_word(section, path, "class", classes, N_ELEMENTS(classes), &class, err);
  if (r == 0) r = oci_read_number(section, path, "priority", 0, 7, &priority, err);
  p->io_priority.set = r == 0;
  p->io_priority.class = (int)class;
  p->io_priority.priority = (int)priority;
  return r;
}

/* "0-3,7": ranges do not go down; no CPU that Linux could have (8192, CONFIG_NR_CPUS) is out of bounds. */
static bool cpu_list_ok(const char *list) {
  enum { CPUS_MAX = 8192 };
  for (const char *p = list;; p++) {
    unsigned long bound[2];
    for (int i = 0; i < 2; i++) {
      char *end;
      if (*p < '0' || *p > '9') return false;
      bound[i] = strtoul(p, &end, 10);
      p = end;
      if (i == 0 && *p != '-') bound[++i] = bound[0];
      if (i == 0) p++;
    }
    if (bound[0] > bound[1] || bound[1] >= CPUS_MAX) return false;
    if (!*p) return true;
    if (*p != ',') return false;
  }
}

static int read_affinity(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  json_t *section = NULL;
  char path[JSON_AT_MAX];
  int r = json_get(tree, at, "execCPUAffinity", JSON_OBJECT, false, &section, err);
  if (r < 0 || !section) return r;
  json_at(path, at, "execCPUAffinity");
  r = oci_read_text(section, path, "initial", &p->affinity_initial, err);
  if (r == 0) r = oci_read_text(section, path, "final", &p->affinity_final, err);
  if (r < 0) return r;
  if (p->affinity_initial && !cpu_list_ok(p->affinity_initial))
    return err_set(err, 0, "bundle", "%s.initial: expected a list of CPUs", path);
  if (p->affinity_final && !cpu_list_ok(p->affinity_final)) return err_set(err, 0, "bundle", "%s.final: expected a list of CPUs", path);
  return 0;
}

int oci_read_scheduling(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  int r = read_scheduler(tree, at, p, err);
  if (r == 0) r = read_io_priority(tree, at, p, err);
  if (r == 0) r = read_affinity(tree, at, p, err);
  return r;
}
