/* One try of a probe: see probetry.h. */
#include "probetry.h"

#include "deadline.h"
#include "grpchealth.h"
#include "podnet.h"
#include "wire.h"

static int try_http(const struct probe *p, int64_t deadline, struct err *err) {
  struct http_answer answer;
  int r = http_get(&p->http, deadline, &answer, err);
  return r < 0 ? r : http_judge(&answer, err);
}

static int try_tcp(const struct probe *p, int64_t deadline, struct err *err) {
  char where[WIRE_WHERE_MAX];
  struct wire wire;
  int r = wire_connect(p->http.host, p->http.port, deadline, where, &wire, err);
  if (r == 0) wire_close(&wire);
  return r;
}

int probe_try_network(const struct probe *p, int64_t deadline, struct err *err) {
  if (p->handler == PROBE_HTTP) return try_http(p, deadline, err);
  return p->handler == PROBE_TCP ? try_tcp(p, deadline, err) : grpc_health(p->http.port, p->service, deadline, err);
}

void probe_message(const struct err *err, char *ret, size_t size) {
  snprintf(ret, size, "%s%s%s%s%s", err->step, err->what[0] ? ": " : "", err->what, err->code ? ": " : "",
           err->code == ETIMEDOUT ? "timed out"
           : err->code            ? strerror(err->code)
                                  : "");
  for (char *c = ret; *c; c++)
    if ((unsigned char)*c < ' ' || *c == 0x7f) *c = ' ';
}

void probe_try_child(const struct probe_spec *s, const struct probe *p, int report) {
  const int64_t deadline = clock_ms() + (int64_t)p->timing.timeout * 1000;
  struct probe_report said = {0};
  struct err err = {0};
  bool unknown = false;
  int r = p->handler == PROBE_EXEC ? 0 : podnet_enter(s->join, &err);
  unknown = r < 0;
  if (r == 0) r = p->handler == PROBE_EXEC ? probe_try_exec(s->run_dir, p, deadline, &unknown, &err) : probe_try_network(p, deadline, &err);
  said.state = unknown ? PROBE_UNKNOWN : r == 0 ? PROBE_OK : PROBE_BAD;
  if (r < 0) probe_message(&err, said.message, sizeof said.message);
  (void)!write(report, &said, sizeof said);
  _exit(0);
}
