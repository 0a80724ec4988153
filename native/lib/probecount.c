/* Kubernetes' thresholds: see probecount.h; pkg/kubelet/prober/worker.go is what they behave like. */
#include "probecount.h"

bool probe_count_add(struct probe_count *c, const struct probe_timing *t, enum probe_state result) {
  if (result == PROBE_UNKNOWN) return false;
  c->run = result == c->last ? c->run + (c->run < 1u << 30) : 1;
  c->last = result;
  if (c->run < (result == PROBE_OK ? t->success : t->failure) || c->state == result) return false;
  c->state = result;
  return true;
}

int64_t probe_due(const struct probe_timing *t, int64_t started, int64_t last_try, int64_t now) {
  const int64_t first = started + (int64_t)t->delay * 1000;
  const int64_t next = last_try < 0 ? now : last_try + (int64_t)t->period * 1000;
  const int64_t due = next > first ? next : first;
  return due > now ? due : now;
}

const char *probe_word(enum probe_kind kind) {
  static const char *const words[PROBE_KINDS] = {"startup", "readiness", "liveness"};
  return words[kind];
}

const char *probe_state_word(enum probe_state state) {
  return state == PROBE_OK ? "ok" : state == PROBE_BAD ? "failed" : "unknown";
}
