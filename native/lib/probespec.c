/* Reading probe.json: see probespec.h. podgen has checked what people wrote; this checks what podgen wrote. */
#include "probespec.h"

#include <fcntl.h>

#include "httpwish.h"
#include "jsonget.h"

enum { FILE_MAX = 1 << 20, SECONDS_MAX = 1 << 30, WORDS_MAX = 100000 };

static int read_timing(const json_t *o, const char *at, struct probe *p, struct err *err) {
  struct probe_timing *t = &p->timing;
  const struct {
    const char *key;
    int64_t least;
    unsigned *ret;
  } members[] = {{"initialDelaySeconds", 0, &t->delay}, {"periodSeconds", 1, &t->period},     {"timeoutSeconds", 1, &t->timeout},
                 {"successThreshold", 1, &t->success},  {"failureThreshold", 1, &t->failure}, {"graceSeconds", 0, &p->grace}};
  for (size_t i = 0; i < N_ELEMENTS(members); i++) {
    int64_t value = *members[i].ret;
    int r = json_get_int(o, at, members[i].key, members[i].least, SECONDS_MAX, &value, err);
    if (r < 0) return r;
    *members[i].ret = (unsigned)value;
  }
  return 0;
}

static int read_http(const json_t *o, const char *at, struct probe *p, struct err *err) {
  return http_wish_read(o, "probe.json", at, &p->http, err);
}

static int read_grpc(const json_t *o, const char *at, struct probe *p, struct err *err) {
  int r = http_wish_read_place(o, "probe.json", at, &p->http, err);
  p->service = "";
  return r < 0 ? r : json_get_string(o, at, "service", false, &p->service, err);
}

static int read_tcp(const json_t *o, const char *at, struct probe *p, struct err *err) {
  return http_wish_read_place(o, "probe.json", at, &p->http, err);
}

static const struct {
  const char *key;
  int (*read)(const json_t *o, const char *at, struct probe *p, struct err *err);
} handlers[] = {[PROBE_EXEC] = {"exec", NULL},
                [PROBE_HTTP] = {"httpGet", read_http},
                [PROBE_TCP] = {"tcpSocket", read_tcp},
                [PROBE_GRPC] = {"grpc", read_grpc}};

int probe_parse(const json_t *o, const char *at, struct probe *p, struct err *err) {
  int found = -1;
  *p = (struct probe){.declared = true, .timing = {.period = 10, .timeout = 1, .success = 1, .failure = 3}, .grace = 30};
  int r = read_timing(o, at, p, err);
  for (int i = 0; r == 0 && i < (int)N_ELEMENTS(handlers); i++) {
    if (!json_object_get(o, handlers[i].key)) continue;
    if (found >= 0) return err_set(err, 0, "probe.json", "%s: more than one handler", at), -EINVAL;
    found = i;
  }
  if (r == 0 && found < 0) return err_set(err, 0, "probe.json", "%s: no handler", at), -EINVAL;
  if (r < 0) return r;
  p->handler = (enum probe_handler)found;
  if (found == PROBE_EXEC) {
    size_t n = 0;
    r = json_get_strings(o, at, "exec", WORDS_MAX, &p->command, &n, err);
    return r == 0 && !n ? err_set(err, 0, "probe.json", "%s.exec: it is empty", at), -EINVAL : r;
  }
  char inner[JSON_AT_MAX];
  json_at(inner, at, handlers[found].key);
  const json_t *handler = json_object_get(o, handlers[found].key);
  if (!json_is_object(handler)) return err_set(err, 0, "probe.json", "%s: expected an object", inner), -EINVAL;
  return handlers[found].read(handler, inner, p, err);
}

static int read_all(struct probe_spec *s, struct err *err) {
  const struct {
    const char *key, **ret;
  } texts[] = {
      {"runDir", &s->run_dir}, {"join", &s->join}, {"unit", &s->unit}, {"identifier", &s->identifier}, {"stopSignal", &s->stop_signal}};
  int r = 0;
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(texts); i++) r = json_get_string(s->root, "", texts[i].key, true, texts[i].ret, err);
  if (r == 0) r = json_get_bool(s->root, "", "gated", &s->gated, err);
  if (r == 0) r = json_get_bool(s->root, "", "restarts", &s->restarts, err);
  for (int k = 0; r == 0 && k < PROBE_KINDS; k++) {
    json_t *o = NULL;
    r = json_get(s->root, "", probe_word((enum probe_kind)k), JSON_OBJECT, false, &o, err);
    if (r == 0 && o) r = probe_parse(o, probe_word((enum probe_kind)k), &s->probes[k], err);
  }
  return r;
}

int probe_spec_parse(const char *text, size_t len, struct probe_spec *ret, struct err *err) {
  json_error_t where;
  struct probe_spec s = {.root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where)};
  if (!s.root) return err_set(err, 0, "probe.json", "line %d: %s", where.line, where.text), -EINVAL;
  int r = read_all(&s, err);
  if (r < 0)
    probe_spec_free(&s);
  else
    *ret = s;
  return r;
}

int probe_spec_read(const char *folder, struct probe_spec *ret, struct err *err) {
  cleanup_free char *path = xformat("%s/probe.json", folder);
  cleanup_free char *text = NULL;
  size_t len = 0;
  int r = path ? read_file_at(AT_FDCWD, path, FILE_MAX, &text, &len) : -ENOMEM;
  return r < 0 ? err_set(err, -r, "probe.json", "%s", folder) : probe_spec_parse(text, len, ret, err);
}

void probe_free(struct probe *p) {
  free(p->command);
  free((void *)p->http.headers);
}

void probe_spec_free(struct probe_spec *s) {
  for (int k = 0; k < PROBE_KINDS; k++) probe_free(&s->probes[k]);
  json_decref(s->root);
}
