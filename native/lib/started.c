/* What a started container leaves in its run folder: see started.h. */
#include "started.h"

#include <fcntl.h>
#include <jansson.h>
#include <time.h>

#include "lastwords.h"

static int write_state(int dir, const json_t *state, struct err *err) {
  char *text = state ? json_dumps(state, JSON_COMPACT) : NULL;
  int r = text ? write_file_atomic_at(dir, "state.json", text, strlen(text), 0600) : -EINVAL;
  free(text);
  return r < 0 ? err_set(err, -r, "write", "state.json") : 0;
}

int started_write(int dir, const struct proc_id *id, const struct bundle *b, struct err *err) {
  char start[24];
  snprintf(start, sizeof start, "%llu", (unsigned long long)id->start);
  cleanup_free char *words = b->has_layers ? xformat("%s/" LASTWORDS_FILE, b->rootfs.upper) : NULL;
  json_t *state =
      json_pack("{s:i, s:s, s:s, s:I, s:s, s:s*, s:s*, s:b}", "pid", (int)id->pid, "startTime", start, "digest", b->digest, "startedAt",
                (json_int_t)time(NULL), "bundle", b->folder, "files", b->live_digest, "message", words, "messageLogs", b->message_logs);
  int r = write_state(dir, state, err);
  json_decref(state);
  return r;
}

int started_refreshed(int dir, const char *files, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(dir, "state.json", 64 * 1024, &text, &len);
  if (r < 0) return err_set(err, -r, "state.json", "%s", "");
  json_t *state = json_loadb(text, len, 0, NULL);
  r = json_object_set_new(state, "files", json_string(files ? files : "")) < 0 ? err_set(err, EBADMSG, "state.json", "%s", "")
                                                                               : write_state(dir, state, err);
  json_decref(state);
  return r;
}

int started_read(int dir, struct proc_id *ret, char **ret_bundle, struct err *err) {
  struct run_state state;
  cleanup_free char *text = NULL;
  size_t len;
  int r = run_state_read(dir, &state, err);
  if (r < 0) return r;
  r = read_file_at(dir, "state.json", 64 * 1024, &text, &len);
  if (r < 0) return err_set(err, -r, "state.json", "%s", "");
  json_t *root = json_loadb(text, len, 0, NULL);
  const char *bundle = json_string_value(json_object_get(root, "bundle"));
  *ret_bundle = bundle ? strdup(bundle) : NULL;
  json_decref(root);
  *ret = state.id;
  return *ret_bundle ? 0 : err_set(err, 0, "state.json", "not a container's: it names no bundle");
}

int started_ended(int dir, const struct end *end, const char *message, struct err *err) {
  json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:s*}", "result", end->result, "code", end->code, "status", end->status, "endedAt",
                             (json_int_t)time(NULL), "message", message);
  char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
  json_decref(object);
  int r = text ? write_file_atomic_at(dir, "ended.json", text, strlen(text), 0600) : -EINVAL;
  free(text);
  return r < 0 ? err_set(err, -r, "write", "ended.json") : 0;
}

int started_mark(int dir, struct err *err) {
  cleanup_fd int fd = openat(dir, "ready", O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  return fd < 0 ? err_set(err, errno, "write", "ready") : 0;
}
