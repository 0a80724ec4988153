/* Questions and a wish to the user's systemd: see manager.h. */
#include "manager.h"

#include "dbus.h"
#include "deadline.h"

/* For what a start waits for; for what nobody waits for, and must come about. */
enum { DEADLINE_MS = 1000, PATIENT_MS = 20 * 1000 };

int manager_unit_path(const char *unit, char *ret, size_t size) {
  size_t n = (size_t)snprintf(ret, size, "/org/freedesktop/systemd1/unit/");
  for (const char *p = unit; *p; p++) {
    bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (p != unit && *p >= '0' && *p <= '9');
    if (n + 4 > size) return -ENAMETOOLONG;
    if (plain)
      ret[n++] = *p;
    else
      n += (size_t)sprintf(ret + n, "_%02x", (unsigned char)*p);
  }
  ret[n] = 0;
  return *unit ? 0 : -EINVAL;
}

/* --- one call --- */

#define MANAGER "org.freedesktop.systemd1"

static int call_at(const char *socket_path, bool bus, const struct dbus_call *call, struct dbus *d, struct dbus_in *in, int64_t deadline) {
  uint32_t serial;
  int r = dbus_connect(d, socket_path, bus, deadline);
  if (r < 0) return r;
  r = dbus_send(d, call, &serial, deadline);
  /* Others (NameAcquired, say) are passed over. */
  while (r == 0 && in->reply_to != serial) r = dbus_next(d, in, deadline);
  if (r == 0 && in->type != DBUS_RETURN) r = -ENOENT;
  if (r < 0) dbus_close(d);
  return r;
}

/* On success `d` is open, and holds the answer's bytes. */
static int call_manager(const struct dbus_call *call, struct dbus *d, struct dbus_in *in, int ms) {
  const int64_t deadline = clock_ms() + ms;
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  char path[256];
  if (!runtime) return -ENOENT;
  if (snprintf(path, sizeof path, "%s/systemd/private", runtime) >= (int)sizeof path) return -ENAMETOOLONG;
  *in = (struct dbus_in){0};
  int r = call_at(path, false, call, d, in, deadline);
  if (r == 0 || r == -ENOENT || r == -ETIMEDOUT) return r;
  snprintf(path, sizeof path, "%s/bus", runtime);
  *in = (struct dbus_in){0};
  return call_at(path, true, call, d, in, deadline);
}

/* --- properties --- */

/* What a property's value looks like: a variant, whose signature begins the body; the value follows at a multiple of its alignment. */
struct kind {
  const char *signature;
  size_t at;
};

static int get(const char *object, const char *interface, const char *property, struct kind kind, struct dbus *d, struct dbus_in *in,
               int ms) {
  unsigned char body[128];
  struct dbus_out o = {.buf = body, .size = sizeof body};
  const size_t len = strlen(kind.signature);
  dbus_put_string(&o, interface);
  dbus_put_string(&o, property);
  const struct dbus_call call = {.destination = MANAGER,
                                 .path = object,
                                 .interface = "org.freedesktop.DBus.Properties",
                                 .member = "Get",
                                 .signature = "ss",
                                 .body = body,
                                 .body_len = o.len};
  int r = call_manager(&call, d, in, ms);
  if (r < 0) return r;
  if (in->body_len >= kind.at + 4 && in->body[0] == len && !memcmp(in->body + 1, kind.signature, len + 1)) {
    in->at = kind.at;
    return 0;
  }
  dbus_close(d);
  return -EBADMSG;
}

int manager_restarts(const char *unit, unsigned *ret) {
  char object[512];
  struct dbus_in in;
  struct dbus d;
  int r = manager_unit_path(unit, object, sizeof object);
  if (r == 0) r = get(object, MANAGER ".Service", "NRestarts", (struct kind){"u", 4}, &d, &in, DEADLINE_MS);
  if (r < 0) return r;
  r = dbus_get_u32(&in, ret) ? 0 : -EBADMSG;
  dbus_close(&d);
  return r;
}

/* The object path of the unit's job; empty where it has none. */
static int job_of(const char *unit, char *ret, size_t size) {
  char object[512];
  struct dbus_in in;
  struct dbus d;
  uint32_t id;
  const char *path;
  int r = manager_unit_path(unit, object, sizeof object);
  /* A struct of the job's number and its path. */
  if (r == 0) r = get(object, MANAGER ".Unit", "Job", (struct kind){"(uo)", 8}, &d, &in, PATIENT_MS);
  if (r < 0) return r;
  r = dbus_get_u32(&in, &id) && dbus_get_string(&in, &path) ? 0 : -EBADMSG;
  if (r == 0 && snprintf(ret, size, "%s", id ? path : "") >= (int)size) r = -ENAMETOOLONG;
  dbus_close(&d);
  return r;
}

int manager_job(const char *unit, char ret[MANAGER_STATE_MAX]) {
  char object[256];
  struct dbus_in in;
  struct dbus d;
  const char *type;
  *ret = 0;
  int r = job_of(unit, object, sizeof object);
  if (r < 0 || !*object) return r;
  r = get(object, MANAGER ".Job", "JobType", (struct kind){"s", 4}, &d, &in, PATIENT_MS);
  /* It has just ended. */
  if (r < 0) return r == -ENOENT ? 0 : r;
  if (dbus_get_string(&in, &type)) snprintf(ret, MANAGER_STATE_MAX, "%s", type);
  dbus_close(&d);
  return 0;
}

bool manager_is_stopping(const char *unit) {
  char type[MANAGER_STATE_MAX];
  return manager_job(unit, type) == 0 && (!strcmp(type, "stop") || !strcmp(type, "restart"));
}

bool manager_is_ending(void) {
  struct dbus_in in;
  struct dbus d;
  const char *state;
  if (get("/org/freedesktop/systemd1", MANAGER ".Manager", "SystemState", (struct kind){"s", 4}, &d, &in, PATIENT_MS) < 0) return false;
  const bool ret = dbus_get_string(&in, &state) && !strcmp(state, "stopping");
  dbus_close(&d);
  return ret;
}

/* --- jobs --- */

int manager_state(const char *unit, char ret[MANAGER_STATE_MAX]) {
  char object[512];
  struct dbus_in in;
  struct dbus d;
  const char *state;
  int r = manager_unit_path(unit, object, sizeof object);
  if (r == 0) r = get(object, MANAGER ".Unit", "ActiveState", (struct kind){"s", 4}, &d, &in, PATIENT_MS);
  if (r < 0) return r;
  r = dbus_get_string(&in, &state) && snprintf(ret, MANAGER_STATE_MAX, "%s", state) < MANAGER_STATE_MAX ? 0 : -EBADMSG;
  dbus_close(&d);
  return r;
}

static int queue(const char *method, const char *unit) {
  unsigned char body[512];
  struct dbus_out o = {.buf = body, .size = sizeof body};
  struct dbus_in in;
  struct dbus d;
  dbus_put_string(&o, unit);
  dbus_put_string(&o, "replace");
  if (o.full) return -ENAMETOOLONG;
  const struct dbus_call call = {.destination = MANAGER,
                                 .path = "/org/freedesktop/systemd1",
                                 .interface = MANAGER ".Manager",
                                 .member = method,
                                 .signature = "ss",
                                 .body = body,
                                 .body_len = o.len};
  int r = call_manager(&call, &d, &in, PATIENT_MS);
  if (r == 0) dbus_close(&d);
  return r;
}

int manager_stop(const char *unit) {
  return queue("StopUnit", unit);
}

int manager_start(const char *unit) {
  return queue("StartUnit", unit);
}
