/* One try of a probe: see probetry.h. */
#include "probetry.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "deadline.h"
#include "grpchealth.h"
#include "proc.h"
#include "wire.h"

/* The pod's network, unless it is the host's, in which we are. Infra is to be found at once: it runs, or there is nothing to be asked. */
static int enter_network(const char *join, struct err *err) {
  struct run_state state;
  struct stat own, its;
  char path[40];
  cleanup_fd int run = run_open(err);
  cleanup_fd int dir = run < 0 ? -1 : run_open_at(run, join, false, err);
  if (run < 0 || dir < 0) return run < 0 ? run : dir;
  int r = run_state_read(dir, &state, err);
  if (r < 0) return r;
  cleanup_fd int infra = proc_open(&state.id);
  if (infra < 0) return err_set(err, -infra, "infra", "%s", join);
  snprintf(path, sizeof path, "/proc/%d/ns/net", (int)state.id.pid);
  if (stat("/proc/self/ns/net", &own) < 0 || stat(path, &its) < 0) return err_set(err, errno, "namespaces", "%s", join);
  if (own.st_ino == its.st_ino && own.st_dev == its.st_dev) return 0;
  return setns(infra, CLONE_NEWUSER | CLONE_NEWNET) < 0 ? err_set(err, errno, "setns", "%s", join) : 0;
}

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
  int r = p->handler == PROBE_EXEC ? 0 : enter_network(s->join, &err);
  unknown = r < 0;
  if (r == 0) r = p->handler == PROBE_EXEC ? probe_try_exec(s->run_dir, p, deadline, &unknown, &err) : probe_try_network(p, deadline, &err);
  said.state = unknown ? PROBE_UNKNOWN : r == 0 ? PROBE_OK : PROBE_BAD;
  if (r < 0) probe_message(&err, said.message, sizeof said.message);
  (void)!write(report, &said, sizeof said);
  _exit(0);
}
