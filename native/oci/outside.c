/* What the maker of a container sets for its first process from outside, where it has more rights: see process.h. */
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "process.h"

enum { IOPRIO_WHO_PROCESS = 1, IOPRIO_CLASS_SHIFT = 13 };

/* sched_setattr(2); glibc has it from 2.41 on only. */
struct sched_wish {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

int oci_process_oom(const struct oci_process *p, bool rootless, struct err *err) {
  char text[16];
  if (!p->has_oom) return 0;
  cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  int len = snprintf(text, sizeof text, "%d", p->oom_score_adj);
  int r = fd < 0 ? -errno : write_all(fd, text, (size_t)len);
  if (rootless && (r == -EACCES || r == -EPERM)) return 0;
  return r < 0 ? err_set(err, -r, "oomScoreAdj", "%d", p->oom_score_adj) : 0;
}

/*
 * For another process only what it may not do itself at its end, raise a hard limit: the rest would bind podrt's own work in it, whose
 * accept(2) needs a descriptor.
 */
int oci_process_limits(const struct oci_process *p, pid_t pid, struct err *err) {
  for (size_t i = 0; i < p->n_rlimits; i++) {
    const unsigned resource = (unsigned)p->rlimits[i].resource;
    struct rlimit64 own, want = {.rlim_cur = p->rlimits[i].soft, .rlim_max = p->rlimits[i].hard};
    if (pid && prlimit64(0, resource, NULL, &own) == 0) {
      if (want.rlim_max <= own.rlim_max) continue;
      want.rlim_cur = own.rlim_cur;
    }
    if (prlimit64(pid, resource, &want, NULL) == 0) continue;
    return err_set(err, errno, "rlimits", "process.rlimits[%zu]%s", i, errno == EPERM ? ": above the caller's own hard limit" : "");
  }
  return 0;
}

/* "0-3,7" as a mask. */
static int parse_cpus(const char *list, cpu_set_t *ret) {
  CPU_ZERO(ret);
  for (const char *p = list; *p;) {
    char *end;
    unsigned long first = strtoul(p, &end, 10), last = first;
    if (end == p) return -EINVAL;
    if (*end == '-') {
      p = end + 1;
      last = strtoul(p, &end, 10);
      if (end == p) return -EINVAL;
    }
    if (last < first || last >= CPU_SETSIZE || (*end && *end != ',')) return -EINVAL;
    for (unsigned long i = first; i <= last; i++) CPU_SET(i, ret);
    p = *end ? end + 1 : end;
  }
  return CPU_COUNT(ret) ? 0 : -EINVAL;
}

static int set_affinity(const char *list, pid_t pid, struct err *err) {
  cpu_set_t set;
  if (!list || !*list) return 0;
  if (parse_cpus(list, &set) < 0) return err_set(err, EINVAL, "execCPUAffinity", "%s", list);
  return sched_setaffinity(pid, sizeof set, &set) < 0 ? err_set(err, errno, "execCPUAffinity", "%s", list) : 0;
}

int oci_process_outside(const struct oci_process *p, pid_t pid, struct err *err) {
  int r = oci_process_limits(p, pid, err);
  if (r == 0 && p->scheduler.set) {
    struct sched_wish wish = {.size = sizeof wish,
                              .policy = (uint32_t)p->scheduler.policy,
                              .flags = p->scheduler.flags,
                              .nice = p->scheduler.nice,
                              .priority = (uint32_t)p->scheduler.priority,
                              .runtime = p->scheduler.runtime,
                              .deadline = p->scheduler.deadline,
                              .period = p->scheduler.period};
    if (syscall(SYS_sched_setattr, pid, &wish, 0) < 0) r = err_set(err, errno, "scheduler", "policy %d", p->scheduler.policy);
  }
  if (r == 0 && p->io_priority.set &&
      syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, pid, p->io_priority.class << IOPRIO_CLASS_SHIFT | p->io_priority.priority) < 0)
    r = err_set(err, errno, "ioPriority", "class %d", p->io_priority.class);
  if (r == 0) r = set_affinity(p->affinity_final, pid, err);
  return r;
}
