/* What a cgroup uses, in the words of runc's `events --stats` (types/events.go): see cgroup.h. */
#include "cgroup.h"
#include "cgroup_set.h"

/* --- pieces --- */

static json_t *number(uint64_t value) {
  /* Unlimited is 2^64-1 to runc, which is more than JSON's readers and jansson have whole numbers for. */
  return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static void put(json_t *object, const char *key, uint64_t value) {
  (void)json_object_set_new(object, key, number(value));
}

/* The number of a file, or of a line in it, when it is there. */
static bool take(json_t *object, const char *key, int dir, const char *file, const char *line, uint64_t factor) {
  uint64_t value;
  if (!cg_read_number(dir, file, line, &value)) return false;
  put(object, key, value == UINT64_MAX ? value : value * factor);
  return true;
}

static json_t *child(json_t *object, const char *key) {
  json_t *made = json_object();
  (void)json_object_set_new(object, key, made);
  return made;
}

/* All lines "KEY NUMBER" of a file. */
static void take_lines(json_t *object, int dir, const char *file) {
  char text[16 * 1024], *save = NULL;
  if (dir < 0 || cg_read(dir, file, text, sizeof text) < 0) return;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    char *space = strchr(line, ' ');
    if (!space) continue;
    *space = 0;
    put(object, line, strtoull(space + 1, NULL, 10));
  }
}

/* --- cpu --- */

static void cpu_v2(int dir, json_t *usage, json_t *throttling) {
  take(usage, "total", dir, "cpu.stat", "usage_usec", 1000);
  take(usage, "kernel", dir, "cpu.stat", "system_usec", 1000);
  take(usage, "user", dir, "cpu.stat", "user_usec", 1000);
  take(throttling, "periods", dir, "cpu.stat", "nr_periods", 1);
  take(throttling, "throttledPeriods", dir, "cpu.stat", "nr_throttled", 1);
  take(throttling, "throttledTime", dir, "cpu.stat", "throttled_usec", 1000);
}

static void per_cpu(json_t *usage, int dir) {
  char text[16 * 1024], *save = NULL;
  if (dir < 0 || cg_read(dir, "cpuacct.usage_percpu", text, sizeof text) < 0) return;
  json_t *list = json_array();
  for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
    (void)json_array_append_new(list, number(strtoull(word, NULL, 10)));
  (void)json_object_set_new(usage, "percpu", list);
}

static void cpu(const struct cg_set *set, json_t *stats) {
  json_t *object = child(stats, "cpu"), *usage = child(object, "usage"), *throttling = child(object, "throttling");
  bool v2, acct_v2;
  const int dir = cg_dir(set, CG_CPU, &v2), acct = cg_dir(set, CG_CPUACCT, &acct_v2);
  if (v2 && acct < 0) {
    /* cpu.stat is there without the controller, too. */
    cpu_v2(cg_dir_v2(set), usage, throttling);
    return;
  }
  take(usage, "total", acct, "cpuacct.usage", NULL, 1);
  /* Ticks of a hundredth of a second, USER_HZ. */
  take(usage, "kernel", acct, "cpuacct.stat", "system", 10000000);
  take(usage, "user", acct, "cpuacct.stat", "user", 10000000);
  per_cpu(usage, acct);
  take(throttling, "periods", dir, "cpu.stat", "nr_periods", 1);
  take(throttling, "throttledPeriods", dir, "cpu.stat", "nr_throttled", 1);
  take(throttling, "throttledTime", dir, "cpu.stat", "throttled_time", 1);
}

/* --- memory --- */

static void entry_v1(json_t *memory, const char *key, int dir, const char *prefix) {
  static const struct {
    const char *key, *file;
  } parts[] = {{"limit", "limit_in_bytes"}, {"usage", "usage_in_bytes"}, {"max", "max_usage_in_bytes"}, {"failcnt", "failcnt"}};
  json_t *entry = child(memory, key);
  for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
    char file[64];
    snprintf(file, sizeof file, "%s.%s", prefix, parts[i].file);
    take(entry, parts[i].key, dir, file, NULL, 1);
  }
}

/* To runc swap is memory and swap together, as v1 has it. */
static void swap_v2(json_t *memory, int dir) {
  static const struct {
    const char *key, *memory, *swap;
  } parts[] = {{"limit", "memory.max", "memory.swap.max"}, {"usage", "memory.current", "memory.swap.current"}};
  json_t *entry = child(memory, "swap");
  for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
    uint64_t one, more, sum;
    if (!cg_read_number(dir, parts[i].memory, NULL, &one) || !cg_read_number(dir, parts[i].swap, NULL, &more)) continue;
    if (__builtin_add_overflow(one, more, &sum)) sum = UINT64_MAX;
    put(entry, parts[i].key, sum);
  }
}

static void memory(const struct cg_set *set, json_t *stats) {
  json_t *object = child(stats, "memory");
  bool v2;
  const int dir = cg_dir(set, CG_MEMORY, &v2);
  if (v2) {
    json_t *usage = child(object, "usage");
    take(object, "cache", dir, "memory.stat", "file", 1);
    take(usage, "limit", dir, "memory.max", NULL, 1);
    take(usage, "usage", dir, "memory.current", NULL, 1);
    take(usage, "max", dir, "memory.peak", NULL, 1);
    take(usage, "failcnt", dir, "memory.events", "max", 1);
    swap_v2(object, dir);
  } else {
    take(object, "cache", dir, "memory.stat", "total_cache", 1);
    entry_v1(object, "usage", dir, "memory");
    entry_v1(object, "swap", dir, "memory.memsw");
    entry_v1(object, "kernel", dir, "memory.kmem");
    entry_v1(object, "kernelTCP", dir, "memory.kmem.tcp");
  }
  take_lines(child(object, "raw"), dir, "memory.stat");
}

/* --- io --- */

static void add_io(json_t *list, const char *device, const char *op, uint64_t value) {
  unsigned major, minor;
  if (sscanf(device, "%u:%u", &major, &minor) != 2) return;
  json_t *entry = json_pack("{s:i, s:i, s:s}", "major", (int)major, "minor", (int)minor, "op", op);
  put(entry, "value", value);
  (void)json_array_append_new(list, entry);
}

/* MAJ:MIN rbytes=N wbytes=N rios=N wios=N dbytes=N dios=N */
static void io_v2(int dir, json_t *bytes, json_t *times) {
  static const struct {
    const char *key, *op;
    bool is_bytes;
  } parts[] = {{"rbytes=", "Read", true}, {"wbytes=", "Write", true}, {"rios=", "Read", false}, {"wios=", "Write", false}};
  char text[16 * 1024], *save = NULL;
  if (dir < 0 || cg_read(dir, "io.stat", text, sizeof text) < 0) return;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
    for (size_t i = 0; i < N_ELEMENTS(parts); i++) {
      const char *at = strstr(line, parts[i].key);
      if (at) add_io(parts[i].is_bytes ? bytes : times, line, parts[i].op, strtoull(at + strlen(parts[i].key), NULL, 10));
    }
}

/* MAJ:MIN Read N */
static void io_v1(int dir, const char *file, json_t *list) {
  char text[16 * 1024], *save = NULL;
  if (dir < 0 || cg_read(dir, file, text, sizeof text) < 0) return;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    char device[32], op[16];
    unsigned long long value;
    if (sscanf(line, "%31s %15s %llu", device, op, &value) == 3) add_io(list, device, op, value);
  }
}

static void io(const struct cg_set *set, json_t *stats) {
  json_t *object = child(stats, "blkio"), *bytes = json_array(), *times = json_array();
  bool v2;
  const int dir = cg_dir(set, CG_IO, &v2);
  if (v2) {
    io_v2(dir, bytes, times);
  } else {
    io_v1(dir, "blkio.throttle.io_service_bytes_recursive", bytes);
    io_v1(dir, "blkio.throttle.io_serviced_recursive", times);
  }
  (void)json_object_set_new(object, "ioServiceBytesRecursive", bytes);
  (void)json_object_set_new(object, "ioServicedRecursive", times);
}

/* --- hugetlb, all --- */

static void huge_pages(const struct cg_set *set, json_t *stats) {
  static const char *const sizes[] = {"64KB", "2MB", "32MB", "512MB", "1GB", "16GB"};
  json_t *object = child(stats, "hugetlb");
  bool v2;
  const int dir = cg_dir(set, CG_HUGETLB, &v2);
  for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
    char file[64];
    uint64_t ignored;
    snprintf(file, sizeof file, v2 ? "hugetlb.%s.current" : "hugetlb.%s.usage_in_bytes", sizes[i]);
    if (!cg_read_number(dir, file, NULL, &ignored)) continue;
    json_t *entry = child(object, sizes[i]);
    take(entry, "usage", dir, file, NULL, 1);
    snprintf(file, sizeof file, v2 ? "hugetlb.%s.events" : "hugetlb.%s.failcnt", sizes[i]);
    take(entry, "failcnt", dir, file, v2 ? "max" : NULL, 1);
  }
}

int oci_cgroup_stats(const struct oci_cgroup *cg, json_t **ret, struct err *err) {
  struct cg_set set;
  bool v2;
  if (!cg->path) return err_set(err, 0, "cgroup", "the container has no cgroup of its own");
  int r = cg_set_open(cg->path, &set, err);
  if (r < 0) return r;
  json_t *stats = json_object();
  cpu(&set, stats);
  (void)child(stats, "cpuset");
  memory(&set, stats);
  json_t *pids = child(stats, "pids");
  take(pids, "current", cg_dir(&set, CG_PIDS, &v2), "pids.current", NULL, 1);
  uint64_t limit;
  /* None is 0 here, to runc. */
  if (cg_read_number(cg_dir(&set, CG_PIDS, &v2), "pids.max", NULL, &limit)) put(pids, "limit", limit == UINT64_MAX ? 0 : limit);
  io(&set, stats);
  huge_pages(&set, stats);
  (void)child(stats, "intel_rdt");
  (void)json_object_set_new(stats, "network_interfaces", json_null());
  cg_set_close(&set);
  *ret = stats;
  return stats ? 0 : err_set(err, ENOMEM, "cgroup", "stats");
}

uint64_t oci_cgroup_oom_kills(const struct oci_cgroup *cg) {
  struct cg_set set;
  struct err ignored;
  uint64_t kills = 0;
  bool v2;
  if (!cg->path || cg_set_open(cg->path, &set, &ignored) < 0) return 0;
  const int dir = cg_dir(&set, CG_MEMORY, &v2);
  if (!cg_read_number(dir, v2 ? "memory.events" : "memory.oom_control", "oom_kill", &kills)) kills = 0;
  cg_set_close(&set);
  return kills;
}
