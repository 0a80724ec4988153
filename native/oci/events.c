/* podrt events: what an OCI container uses, and that the kernel has killed in it for memory, one JSON object a line. */
#include <poll.h>
#include <signal.h>

#include "lib/deadline.h"
#include "state.h"
#include "verbs.h"

enum { LOOK_MS = 500 };

static int print(const char *type, const char *id, json_t *data, struct err *err) {
  json_t *event = json_pack("{s:s, s:s, s:o*}", "type", type, "id", id, "data", data);
  int r = event && json_dumpf(event, stdout, JSON_COMPACT) == 0 && puts("") >= 0 && fflush(stdout) == 0 ? 0 : -EIO;
  json_decref(event);
  return r < 0 ? err_set(err, -r, "events", "standard output") : 0;
}

static int print_stats(const struct oci_container *c, struct err *err) {
  json_t *data = NULL;
  int r = oci_cgroup_stats(&c->cgroup, &data, err);
  return r < 0 ? r : print("stats", c->id, data, err);
}

/* Go's durations: "5s", "500ms", "1m30s"; a number alone is refused there, and seconds here. */
static bool read_interval(const char *text, int64_t *ret_ms) {
  static const struct {
    const char *unit;
    double ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}};
  double sum = 0;
  if (!*text) return false;
  for (const char *p = text; *p;) {
    char *end;
    const double value = strtod(p, &end);
    if (end == p || !(value >= 0 && value < 1e6)) return false;
    size_t i = 0;
    while (*end && i < N_ELEMENTS(units) && strncmp(end, units[i].unit, strlen(units[i].unit))) i++;
    if (i == N_ELEMENTS(units)) return false;
    sum += value * (*end ? units[i].ms : 1000);
    p = *end ? end + strlen(units[i].unit) : end;
  }
  *ret_ms = (int64_t)sum;
  return *ret_ms > 0;
}

/* Until the container ends. Its end is waited for, the kernel's count of kills looked at: a file that it changes is in another place on
 * every kind of machine. */
static int follow(const struct oci_container *c, int64_t interval, struct err *err) {
  cleanup_fd int pidfd = proc_open(&c->proc);
  uint64_t kills = oci_cgroup_oom_kills(&c->cgroup);
  int64_t next = clock_ms() + interval;
  for (;;) {
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    const int left = deadline_left(next);
    const int n = pidfd < 0 ? 1 : poll(&p, 1, left < LOOK_MS ? left : LOOK_MS);
    const uint64_t now = oci_cgroup_oom_kills(&c->cgroup);
    int r = now > kills ? print("oom", c->id, NULL, err) : 0;
    kills = now;
    if (r < 0 || n > 0) return r;
    if (clock_ms() < next) continue;
    r = print_stats(c, err);
    if (r < 0) return r;
    next = clock_ms() + interval;
  }
}

int oci_events(const struct oci_global *g, int argc, char **argv) {
  struct oci_container c = {.dir = -1};
  const char *every = "5s";
  bool stats = false;
  int64_t interval = 0;
  struct err err;
  const struct oci_option table[] = {{"interval", 0, OCI_VALUE, &every}, {"stats", 0, OCI_FLAG, &stats}};
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), &err);
  if (i >= 0 && i + 1 != argc) i = err_set(&err, 0, "usage", "podrt events [--interval 5s] [--stats] ID");
  if (i >= 0 && !read_interval(every, &interval)) i = err_set(&err, 0, "option", "--interval: expected a time as 5s or 500ms");
  if (i < 0) return oci_fail(g, &err);
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[i], &c, &err);
  if (r == 0 && oci_container_status(&c) == OCI_STOPPED) r = err_set(&err, 0, "events", "container \"%s\" is stopped", c.id);
  if (r == 0) r = stats ? print_stats(&c, &err) : follow(&c, interval, &err);
  if (r < 0) oci_fail(g, &err);
  oci_container_free(&c);
  return r < 0;
}
