/* A container's cgroup as a transient scope of systemd: see cgroup_systemd.h and org.freedesktop.systemd1(5). */
#include "cgroup_systemd.h"

#include "cgroup_layout.h"
#include "cgroup_path.h"
#include "cgroup_properties.h"
#include "systemd_call.h"

enum { TRIES = 16, BODY_MAX = DBUS_MESSAGE_MAX - 4096 };

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
    r = systemd_call(s, "StartTransientUnit", "ssa(sv)a(sa(sv))", &o, job, sizeof job);
    if (r == -EREMOTEIO && tries < TRIES && learn_unknown(s, &unknown)) continue;
    /* One of that name that failed and was not collected. */
    if (r == -EREMOTEIO && !again && strstr(s->error, "UnitExists")) {
      again = true;
      (void)systemd_forget(s);
      continue;
    }
    if (r == 0) r = systemd_await(s, job);
    if (r < 0) return systemd_fail(s, r, "starting", err);
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
  if (r == 0) r = systemd_open(&s, scope, err);
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
  if (r == 0) r = systemd_open(&s, scope, err);
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
    r = systemd_call(&s, "SetUnitProperties", "sba(sv)", &o, NULL, 0);
    if (r == -EREMOTEIO && tries < TRIES && learn_unknown(&s, &unknown)) continue;
    if (r < 0) r = systemd_fail(&s, r, "updating", err);
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
  int r = systemd_open(&s, scope, err);
  if (r < 0) return r;
  dbus_put_string(&o, scope);
  dbus_put_string(&o, "replace");
  r = systemd_call(&s, "StopUnit", "ss", &o, job, sizeof job);
  if (r == 0) r = systemd_await(&s, job);
  if (r == -EREMOTEIO && strstr(s.error, "NoSuchUnit")) r = 0;
  if (r < 0) r = systemd_fail(&s, r, "stopping", err);
  (void)systemd_forget(&s);
  dbus_close(&s.bus);
  return r;
}
