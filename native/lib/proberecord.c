/* The state of a container's probes: see proberecord.h. */
#include "proberecord.h"

#include <time.h>

#define RECORD "probe.json"
#define KILLED "killed.json"

enum { FILE_MAX = 64 * 1024 };

static json_t *identified(const struct proc_id *id) {
  char start[24];
  snprintf(start, sizeof start, "%llu", (unsigned long long)id->start);
  return json_pack("{s:i, s:s}", "pid", (int)id->pid, "startTime", start);
}

/* Takes `root`. */
static int write_json(int dir, const char *name, json_t *root, struct err *err) {
  char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
  json_decref(root);
  int r = text ? write_file_atomic_at(dir, name, text, strlen(text), 0600) : -ENOMEM;
  free(text);
  return r < 0 ? err_set(err, -r, "write", "%s", name) : 0;
}

/* The file's object, if it is about this process. */
static json_t *read_json(int dir, const char *name, const struct proc_id *id) {
  cleanup_free char *text = NULL;
  size_t len;
  if (read_file_at(dir, name, FILE_MAX, &text, &len) < 0) return NULL;
  json_t *root = json_loadb(text, len, 0, NULL);
  const char *start = json_string_value(json_object_get(root, "startTime"));
  const bool same = json_integer_value(json_object_get(root, "pid")) == id->pid && start && strtoull(start, NULL, 10) == id->start;
  if (same) return root;
  json_decref(root);
  return NULL;
}

/* What a program writes need not be UTF-8, and JSON has to be. */
static json_t *text_of(const char *message) {
  json_t *text = json_string(message);
  if (text) return text;
  char ascii[PROBE_MESSAGE_MAX];
  snprintf(ascii, sizeof ascii, "%s", message);
  for (char *c = ascii; *c; c++)
    if ((unsigned char)*c > 126) *c = '?';
  return json_string(ascii);
}

int probe_record_write(int dir, const struct proc_id *id, const struct probe_spec *s, const struct probe_record *records, bool started,
                       bool ready, struct err *err) {
  json_t *root = identified(id), *probes = json_object();
  for (int k = 0; k < PROBE_KINDS; k++) {
    const struct probe_record *p = &records[k];
    if (!s->probes[k].declared) continue;
    json_object_set_new(
        probes, probe_word((enum probe_kind)k),
        json_pack("{s:s, s:s, s:I, s:I, s:o}", "state", probe_state_word(p->count.state), "last", probe_state_word(p->count.last), "run",
                  (json_int_t)p->count.run, "at", (json_int_t)p->at, "message", text_of(p->message)));
  }
  json_object_set_new(root, "started", json_boolean(started));
  json_object_set_new(root, "ready", json_boolean(ready));
  json_object_set_new(root, "probes", probes);
  return write_json(dir, RECORD, root, err);
}

bool probe_record_started(int dir, const struct proc_id *id) {
  json_t *root = read_json(dir, RECORD, id);
  const bool started = json_is_true(json_object_get(root, "started"));
  json_decref(root);
  return started;
}

int probe_killed_write(int dir, const struct proc_id *id, enum probe_kind kind, const char *message, struct err *err) {
  json_t *root = identified(id);
  json_object_set_new(root, "probe", json_string(probe_word(kind)));
  json_object_set_new(root, "message", text_of(message));
  json_object_set_new(root, "at", json_integer((json_int_t)time(NULL)));
  return write_json(dir, KILLED, root, err);
}

char *probe_killed_read(int dir, const struct proc_id *id) {
  json_t *root = read_json(dir, KILLED, id);
  const char *probe = json_string_value(json_object_get(root, "probe")), *message = json_string_value(json_object_get(root, "message"));
  char *text = probe && message ? xformat("%s probe failed: %s", probe, message) : NULL;
  json_decref(root);
  return text;
}
