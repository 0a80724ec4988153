/* One question to the user's systemd: see manager.h. */
#include "manager.h"

#include "dbus.h"
#include "deadline.h"

enum { DEADLINE_MS = 1000 };

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

/* A variant of uint32: signature of length 1, 'u', NUL, one byte of padding, the number. */
static int read_answer(struct dbus_in *in, unsigned *ret) {
  if (in->type != DBUS_RETURN) return -ENOENT;
  if (in->body_len != 8 || in->body[0] != 1 || in->body[1] != 'u' || in->body[2]) return -EBADMSG;
  in->at = 4;
  return dbus_get_u32(in, ret) ? 0 : -EBADMSG;
}

static int ask(const char *socket_path, bool bus, const char *object, unsigned *ret, int64_t deadline) {
  unsigned char body[128];
  struct dbus_out o = {.buf = body, .size = sizeof body};
  struct dbus_in in = {0};
  struct dbus d;
  uint32_t serial;
  dbus_put_string(&o, "org.freedesktop.systemd1.Service");
  dbus_put_string(&o, "NRestarts");
  const struct dbus_call call = {.destination = "org.freedesktop.systemd1",
                                 .path = object,
                                 .interface = "org.freedesktop.DBus.Properties",
                                 .member = "Get",
                                 .signature = "ss",
                                 .body = body,
                                 .body_len = o.len};
  int r = dbus_connect(&d, socket_path, bus, deadline);
  if (r < 0) return r;
  r = dbus_send(&d, &call, &serial, deadline);
  /* Others (NameAcquired, say) are passed over. */
  while (r == 0 && in.reply_to != serial) r = dbus_next(&d, &in, deadline);
  if (r == 0) r = read_answer(&in, ret);
  dbus_close(&d);
  return r;
}

int manager_restarts(const char *unit, unsigned *ret) {
  const int64_t deadline = clock_ms() + DEADLINE_MS;
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  char object[512], path[256];
  int r = manager_unit_path(unit, object, sizeof object);
  if (r < 0 || !runtime) return r < 0 ? r : -ENOENT;
  if (snprintf(path, sizeof path, "%s/systemd/private", runtime) >= (int)sizeof path) return -ENAMETOOLONG;
  r = ask(path, false, object, ret, deadline);
  if (r == 0 || r == -ENOENT || r == -ETIMEDOUT) return r;
  snprintf(path, sizeof path, "%s/bus", runtime);
  return ask(path, true, object, ret, deadline);
}
