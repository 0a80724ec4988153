/* Calls to systemd's manager, and the jobs they start: see systemd_call.h. */
#include "systemd_call.h"

#include <unistd.h>

#include "lib/deadline.h"
#include "state.h"

enum { DEADLINE_MS = 30 * 1000, NUDGE_MS = 100 };

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

int systemd_call(struct systemd *s, const char *member, const char *signature, const struct dbus_out *body, char *ret_job, size_t size) {
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
  return r == 0 ? systemd_call(s, "Subscribe", NULL, NULL, NULL, 0) : r;
}

int systemd_fail(const struct systemd *s, int r, const char *what, struct err *err) {
  if (r == -EREMOTEIO) return err_set(err, 0, "systemd", "%s %s: %s", what, s->unit, s->words);
  return err_set(err, -r, "systemd", "%s %s", what, s->unit);
}

int systemd_open(struct systemd *s, const char *unit, struct err *err) {
  *s = (struct systemd){.bus.sock = -1};
  snprintf(s->unit, sizeof s->unit, "%s", unit);
  int r = reach(s, err);
  if (r <= 0) return r;
  r = subscribe(s);
  if (r < 0) {
    dbus_close(&s->bus);
    return systemd_fail(s, r, "listening for the job of", err);
  }
  return 0;
}

/* The signal may have come before the answer that named the job. */
int systemd_await(struct systemd *s, const char *job) {
  struct dbus_in in;
  int r = 0;
  while (r == 0 && strcmp(s->job, job)) r = next(s, &in);
  return r;
}

/* A method with a unit's name alone. */
int systemd_forget(struct systemd *s) {
  unsigned char buf[300];
  struct dbus_out o = {.buf = buf, .size = sizeof buf};
  dbus_put_string(&o, s->unit);
  return systemd_call(s, "ResetFailedUnit", "s", &o, NULL, 0);
}
