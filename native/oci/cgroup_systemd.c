/* A container's cgroup as a transient scope of systemd: see cgroup_systemd.h and org.freedesktop.systemd1(5). */
#include "cgroup_systemd.h"

#include <unistd.h>

#include "cgroup_layout.h"
#include "cgroup_path.h"
#include "cgroup_properties.h"
#include "lib/dbus.h"
#include "lib/deadline.h"
#include "state.h"

enum { DEADLINE_MS = 30 * 1000, NUDGE_MS = 100, TRIES = 16, BODY_MAX = DBUS_MESSAGE_MAX - 4096 };

struct systemd {
  struct dbus bus;
  int64_t deadline;
  char unit[256];
  char job[128], result[32];  /* of the last job of our unit that ended */
  char error[96], words[320]; /* what an answer says that is an error */
};

/* --- reaching it --- */

/* "unix:path=/run/user/1000/bus,guid=…;…": the first that is a socket's path. */
static bool address_path(const char *address, char *ret, size_t size) {
  static const struct { const char *key, *sign; } kinds[] = {{"unix:path=", ""}, {"unix:abstract=", "@"}};
  for (const char *at = address; at && *at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL)
    for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
      const size_t len = strlen(kinds[i].key);
      if (strncmp(at, kinds[i].key, len)) continue;
      return snprintf(ret, size, "%s%.*s", kinds[i].sign, (int)strcspn(at + len, ",;"), at + len) < (int)size;
    }
  return false;
}

/* Without XDG_RUNTIME_DIR (cron, su), where logind makes it. Inside a user namespace our uid is another than the machine's. */
static void runtime_dir(char *ret, size_t size) {
  const char *said = getenv("XDG_RUNTIME_DIR");
  unsigned long uid = geteuid();
  if (said && *said == '/') {
    snprintf(ret, size, "%s", said);
    return;
  }
  cleanup_file FILE *map = fopen("/proc/self/uid_map", "re");
  unsigned long from, to, count;
  while (map && fscanf(map, "%lu %lu %lu", &from, &to, &count) == 3)
    if (geteuid() >= from && geteuid() - from < count) uid = to + (geteuid() - from);
  snprintf(ret, size, "/run/user/%lu", uid);
}

/*
 * systemd's own socket first, which needs no bus and has no other listeners; then the bus. Root's are the machine's, everybody else's (and
 * root's of a user namespace) his own.
 */
static int reach(struct systemd *s, struct err *err) {
  const bool user = geteuid() != 0 || oci_in_userns();
  char own[128] = "/run/systemd/private", bus[128] = "/run/dbus/system_bus_socket", runtime[96];
  if (user) {
    runtime_dir(runtime, sizeof runtime);
    snprintf(own, sizeof own, "%s/systemd/private", runtime);
    snprintf(bus, sizeof bus, "%s/bus", runtime);
  }
  s->deadline = clock_ms() + DEADLINE_MS;
  if (dbus_connect(&s->bus, own, false, s->deadline) == 0) return 0;
  (void)address_path(getenv(user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"), bus, sizeof bus);
  int r = dbus_connect(&s->bus, bus, true, s->deadline);
  if (r == 0) return 1;
  if (!user) return err_set(err, -r, "systemd", "neither %s nor %s answers", own, bus);
  return err_set(err, -r, "systemd", "neither %s nor %s answers: no session of this user (loginctl enable-linger), or use cgroupfs", own,
                 bus);
}

/* --- calls --- */

/* JobRemoved(u id, o job, s unit, s result) */
static void note_signal(struct systemd *s, struct dbus_in *in) {
  const char *job, *unit, *result;
  uint32_t id;
  if (in->type != DBUS_SIGNAL || strcmp(in->member, "JobRemoved")) return;
  if (!dbus_get_u32(in, &id) || !dbus_get_string(in, &job) || !dbus_get_string(in, &unit) || !dbus_get_string(in, &result)) return;
  if (strcmp(unit, s->unit)) return;
  snprintf(s->job, sizeof s->job, "%s", job);
  snprintf(s->result, sizeof s->result, "%s", result);
}

/*
 * The next message. systemd 252 may keep what it has to say on its own socket to itself until it is asked something else there: a ping,
 * whose answer nobody waits for.
 */
static int next(struct systemd *s, struct dbus_in *ret) {
  static const struct dbus_call ping = {.destination = "org.freedesktop.systemd1",
                                        .path = "/org/freedesktop/systemd1",
                                        .interface = "org.freedesktop.DBus.Peer",
                                        .member = "Ping"};
  for (;;) {
    const int64_t now = clock_ms(), soon = now + NUDGE_MS;
    uint32_t ignored;
    int r = dbus_next(&s->bus, ret, soon < s->deadline ? soon : s->deadline);
    if (r == 0) note_signal(s, ret);
    if (r != -ETIMEDOUT || now >= s->deadline) return r;
    r = dbus_send(&s->bus, &ping, &ignored, s->deadline);
    if (r < 0) return r;
  }
}

/* Sends and waits for the answer. -EREMOTEIO: it is an error, told in s->error and s->words. *ret_job: an object path, if one is wanted. */
static int call(struct systemd *s, const struct dbus_call *what, char *ret_job, size_t size) {
  struct dbus_in in = {0};
  uint32_t serial = 0;
  const char *text = "";
  int r = dbus_send(&s->bus, what, &serial, s->deadline);
  while (r == 0 && in.reply_to != serial) r = next(s, &in);
  if (r < 0) return r;
  if (in.type == DBUS_ERROR) {
    snprintf(s->error, sizeof s->error, "%s", in.error);
    snprintf(s->words, sizeof s->words, "%s", in.signature[0] == 's' && dbus_get_string(&in, &text) ? text : in.error);
    return -EREMOTEIO;
  }
  if (ret_job) snprintf(ret_job, size, "%s", dbus_get_string(&in, &text) ? text : "");
  return 0;
}

static int call_manager(struct systemd *s, const char *member, const char *signature, const struct dbus_out *body, char *ret_job,
                        size_t size) {
  const struct dbus_call what = {.destination = "org.freedesktop.systemd1",
                                 .path = "/org/freedesktop/systemd1",
                                 .interface = "org.freedesktop.systemd1.Manager",
                                 .member = member,
                                 .signature = signature,
                                 .body = body ? body->buf : NULL,
                                 .body_len = body ? body->len : 0};
  if (body && body->full) return -E2BIG;
  return call(s, &what, ret_job, size);
}

/* On a bus signals come to who asked for them. */
static int subscribe(struct systemd *s) {
  unsigned char buf[256];
  struct dbus_out o = {.buf = buf, .size = sizeof buf};
  dbus_put_string(&o, "type='signal',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'");
  const struct dbus_call match = {.destination = "org.freedesktop.DBus",
                                  .path = "/org/freedesktop/DBus",
                                  .interface = "org.freedesktop.DBus",
                                  .member = "AddMatch",
                                  .signature = "s",
                                  .body = buf,
                                  .body_len = o.len};
  int r = call(s, &match, NULL, 0);
  return r == 0 ? call_manager(s, "Subscribe", NULL, NULL, NULL, 0) : r;
}

static int fail(const struct systemd *s, int r, const char *what, struct err *err) {
  if (r == -EREMOTEIO) return err_set(err, 0, "systemd", "%s %s: %s", what, s->unit, s->words);
  return err_set(err, -r, "systemd", "%s %s", what, s->unit);
}

static int open_systemd(struct systemd *s, const char *unit, struct err *err) {
  *s = (struct systemd){.bus.sock = -1};
  snprintf(s->unit, sizeof s->unit, "%s", unit);
  int r = reach(s, err);
  if (r <= 0) return r;
  r = subscribe(s);
  if (r < 0) {
    dbus_close(&s->bus);
    return fail(s, r, "listening for the job of", err);
  }
  return 0;
}

/* The signal may have come before the answer that named the job. */
static int await_job(struct systemd *s, const char *job) {
  struct dbus_in in;
  int r = 0;
  while (r == 0 && strcmp(s->job, job)) r = next(s, &in);
  return r;
}

/* A method with a unit's name alone. */
static int forget_failed(struct systemd *s) {
  unsigned char buf[300];
  struct dbus_out o = {.buf = buf, .size = sizeof buf};
  dbus_put_string(&o, s->unit);
  return call_manager(s, "ResetFailedUnit", "s", &o, NULL, 0);
}

/* "Cannot set property X, or unknown property.": older than the property. Whether there is one less to ask for now. */
static bool learn_unknown(const struct systemd *s, struct cg_unknown *unknown) {
  static const char start[] = "Cannot set property ";
  if (strncmp(s->words, start, strlen(start)) || unknown->n == N_ELEMENTS(unknown->name)) return false;
  const char *name = s->words + strlen(start);
  const size_t len = strcspn(name, ", ");
  if (!len || len >= sizeof unknown->name[0]) return false;
  snprintf(unknown->name[unknown->n++], sizeof unknown->name[0], "%.*s", (int)len, name);
  return true;
}

/* --- start --- */

static int put_start(struct dbus_out *o, const struct oci_cgroup_wish *wish, const char *unit, const char *slice, uint32_t pid,
                     bool unified, const struct cg_unknown *unknown, struct err *err) {
  const struct cg_properties p = {.o = o, .unknown = unknown};
  cleanup_free char *words = xformat("podrt container %s", wish->id);
  if (!words) return err_set(err, ENOMEM, "systemd", "%s", unit);
  dbus_put_string(o, unit);
  dbus_put_string(o, "replace");
  struct dbus_array all = dbus_open_array(o, 8);
  cg_property_string(&p, "Description", words);
  cg_property_string(&p, "Slice", slice);
  cg_property_u32s(&p, "PIDs", &pid, 1);
  cg_property_bool(&p, "Delegate", true);
  cg_property_bool(&p, "DefaultDependencies", false);
  /* Gone when it is empty, failed or not: nobody else cleans up after a container. */
  cg_property_string(&p, "CollectMode", "inactive-or-failed");
  static const char *const accounting[] = {"MemoryAccounting", "CPUAccounting", "TasksAccounting"};
  for (size_t i = 0; i < N_ELEMENTS(accounting); i++) cg_property_bool(&p, accounting[i], true);
  cg_property_bool(&p, unified ? "IOAccounting" : "BlockIOAccounting", true);
  int r = cg_properties_limits(&p, wish->resources, unified, err);
  if (r == 0 && !unified) r = cg_properties_devices(&p, wish->resources, err);
  if (r == 0) r = cg_properties_annotations(&p, wish->annotations, wish->n_annotations, err);
  dbus_close_array(o, all);
  /* No auxiliary units. */
  all = dbus_open_array(o, 8);
  dbus_close_array(o, all);
  return r;
}

static int start_unit(struct systemd *s, const struct oci_cgroup_wish *wish, const char *slice, pid_t pid, bool unified, struct err *err) {
  struct cg_unknown unknown = {.n = 0};
  bool again = false;
  cleanup_free unsigned char *buf = malloc(BODY_MAX);
  if (!buf) return err_set(err, ENOMEM, "systemd", "%s", s->unit);
  for (unsigned tries = 0;; tries++) {
    struct dbus_out o = {.buf = buf, .size = BODY_MAX};
    char job[128];
    int r = put_start(&o, wish, s->unit, slice, (uint32_t)pid, unified, &unknown, err);
    if (r < 0) return r;
    r = call_manager(s, "StartTransientUnit", "ssa(sv)a(sa(sv))", &o, job, sizeof job);
    if (r == -EREMOTEIO && tries < TRIES && learn_unknown(s, &unknown)) continue;
    /* One of that name that failed and was not collected. */
    if (r == -EREMOTEIO && !again && strstr(s->error, "UnitExists")) {
      again = true;
      (void)forget_failed(s);
      continue;
    }
    if (r == 0) r = await_job(s, job);
    if (r < 0) return fail(s, r, "starting", err);
    return strcmp(s->result, "done") ? err_set(err, 0, "systemd", "starting %s: the job is %s", s->unit, s->result) : 0;
  }
}

/* Where systemd has put it: on cgroup2, else in its own hierarchy of v1. */
static char *path_of(pid_t pid, struct err *err) {
  const struct cg_layout *l;
  if (cg_layout(&l, err) < 0) return NULL;
  for (size_t i = 0; i < l->n; i++)
    if (!l->unified && (l->h[i].controllers & 1u << CG_SYSTEMD)) {
      char *path = cg_path_of(l, i, pid);
      if (path && strcmp(path, "/")) return path;
      free(path);
    }
  return l->v2 < 0 ? NULL : cg_path_of(l, (size_t)l->v2, pid);
}

int cg_scope_start(const struct oci_cgroup_wish *wish, pid_t pid, char **ret_scope, char **ret_path, struct err *err) {
  struct systemd s;
  const struct cg_layout *l;
  cleanup_free char *slice = NULL, *scope = NULL, *path = NULL;
  int r = cg_scope_parse(wish->cgroups_path, wish->id, &slice, &scope, err);
  if (r == 0) r = cg_layout(&l, err);
  if (r == 0) r = open_systemd(&s, scope, err);
  if (r < 0) return r;
  r = start_unit(&s, wish, *slice ? slice : wish->rootless ? "user.slice" : "system.slice", pid, l->unified, err);
  dbus_close(&s.bus);
  if (r < 0) return r;
  *err = (struct err){0};
  path = path_of(pid, err);
  const char *name = path ? strrchr(path, '/') : NULL;
  if (!name || strcmp(name + 1, scope)) {
    struct err ignored;
    (void)cg_scope_stop(scope, &ignored);
    return err_set(err, 0, "systemd", "%s was started, but process %d is in %s", scope, (int)pid, path ? path : "no cgroup");
  }
  *ret_scope = scope;
  *ret_path = path;
  scope = path = NULL;
  return 0;
}

/* --- update, stop --- */

int cg_scope_update(const char *scope, const struct oci_resources *resources, struct err *err) {
  struct systemd s;
  struct cg_unknown unknown = {.n = 0};
  const struct cg_layout *l;
  cleanup_free unsigned char *buf = malloc(BODY_MAX);
  int r = buf ? cg_layout(&l, err) : err_set(err, ENOMEM, "systemd", "%s", scope);
  if (r == 0) r = open_systemd(&s, scope, err);
  if (r < 0) return r;
  for (unsigned tries = 0;; tries++) {
    struct dbus_out o = {.buf = buf, .size = BODY_MAX};
    const struct cg_properties p = {.o = &o, .unknown = &unknown};
    dbus_put_string(&o, scope);
    dbus_put_u32(&o, true); /* runtime: not beyond the next boot */
    struct dbus_array all = dbus_open_array(&o, 8);
    const size_t start = o.len;
    r = cg_properties_limits(&p, resources, l->unified, err);
    if (r == 0 && !l->unified && resources->has_devices) r = cg_properties_devices(&p, resources, err);
    if (r < 0 || o.len == start) break;
    dbus_close_array(&o, all);
    r = call_manager(&s, "SetUnitProperties", "sba(sv)", &o, NULL, 0);
    if (r == -EREMOTEIO && tries < TRIES && learn_unknown(&s, &unknown)) continue;
    if (r < 0) r = fail(&s, r, "updating", err);
    break;
  }
  dbus_close(&s.bus);
  return r;
}

int cg_scope_stop(const char *scope, struct err *err) {
  unsigned char buf[300];
  struct dbus_out o = {.buf = buf, .size = sizeof buf};
  struct systemd s;
  char job[128];
  int r = open_systemd(&s, scope, err);
  if (r < 0) return r;
  dbus_put_string(&o, scope);
  dbus_put_string(&o, "replace");
  r = call_manager(&s, "StopUnit", "ss", &o, job, sizeof job);
  if (r == 0) r = await_job(&s, job);
  if (r == -EREMOTEIO && strstr(s.error, "NoSuchUnit")) r = 0;
  if (r < 0) r = fail(&s, r, "stopping", err);
  (void)forget_failed(&s);
  dbus_close(&s.bus);
  return r;
}
