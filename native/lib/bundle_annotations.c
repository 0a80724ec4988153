/* podgen's annotations of a bundle: see bundle.h and the table in native/README.md. */
#include <limits.h>

#include "bundle.h"
#include "jsonget.h"
#include "jsonload.h"
#include "lastwords.h"
#include "number.h"

#define NOTE "io.podgen."
enum { MAX_LAYERS = 500 /* overlay's own limit */ };

static int absolute(const char *path, const char *at, const char *key, struct err *err) {
  if (path[0] == '/' && strlen(path) < PATH_MAX) return 0;
  char full[JSON_AT_MAX];
  json_at(full, at, key);
  return err_set(err, 0, "bundle", "%s: expected an absolute path", full);
}

/* The JSON inside an annotation, of any length; NULL where there is none. The bundle keeps it. */
static int load_note(struct bundle *b, const json_t *notes, const char *name, json_type type, json_t **ret, struct err *err) {
  json_t *text = NULL;
  json_error_t where;
  *ret = NULL;
  int r = json_get(notes, "annotations", name, JSON_STRING, false, &text, err);
  if (r < 0 || !text) return r;
  if (b->n_notes == N_ELEMENTS(b->notes)) return err_set(err, E2BIG, "bundle", "annotations.%s", name);
  json_t *tree = b->notes[b->n_notes++] = json_load(json_string_value(text), json_string_length(text), &where);
  if (!tree) return err_set(err, 0, "bundle", "annotations.%s: %d:%d: %s", name, where.line, where.column, where.text);
  if (json_typeof(tree) != type)
    return err_set(err, 0, "bundle", "annotations.%s: expected JSON that is %s", name, type == JSON_OBJECT ? "an object" : "an array");
  *ret = tree;
  return 0;
}

static int read_rootfs(struct bundle *b, const json_t *notes, struct err *err) {
  static const char *const drivers[] = {
      [ROOTFS_AUTO] = "auto", [ROOTFS_OVERLAY] = "overlay", [ROOTFS_FUSE] = "fuse-overlayfs", [ROOTFS_VFS] = "vfs"};
  static const char at[] = "annotations." NOTE "rootfs";
  json_t *note;
  const char *driver = "auto";
  struct bundle_rootfs *fs = &b->rootfs;
  int r = load_note(b, notes, NOTE "rootfs", JSON_OBJECT, &note, err);
  if (r < 0 || !note) return r;
  r = json_get_string(note, at, "driver", false, &driver, err);
  if (r == 0) r = json_get_string(note, at, "upper", true, &fs->upper, err);
  if (r == 0) r = absolute(fs->upper, at, "upper", err);
  if (r == 0) r = json_get_strings(note, at, "layers", MAX_LAYERS, &fs->layers, &fs->n_layers, err);
  if (r < 0) return r;
  if (!fs->n_layers) return err_set(err, 0, "bundle", "%s.layers: expected one at least", at);
  for (size_t i = 0; i < fs->n_layers; i++) {
    char key[32];
    snprintf(key, sizeof key, "layers[%zu]", i);
    if ((r = absolute(fs->layers[i], at, key, err)) < 0) return r;
  }
  for (size_t i = 0; i < N_ELEMENTS(drivers); i++)
    if (!strcmp(driver, drivers[i])) {
      fs->driver = (enum rootfs_driver)i;
      b->has_layers = true;
      return 0;
    }
  return err_set(err, 0, "bundle", "%s.driver: unknown driver %s", at, driver);
}

static int read_secrets(struct bundle *b, const json_t *notes, struct err *err) {
  json_t *note, *value;
  const char *name;
  int r = load_note(b, notes, NOTE "secret-env", JSON_OBJECT, &note, err);
  if (r < 0 || !json_object_size(note)) return r;
  b->secrets = calloc(json_object_size(note), sizeof *b->secrets);
  if (!b->secrets) return err_set(err, ENOMEM, "bundle", "%s", "");
  json_object_foreach(note, name, value) {
    if (!*name || strchr(name, '=')) return err_set(err, 0, "bundle", "annotations." NOTE "secret-env: %s is no variable's name", name);
    if (!json_is_string(value)) return err_set(err, 0, "bundle", "annotations." NOTE "secret-env.%s: expected a string", name);
    r = absolute(json_string_value(value), "annotations." NOTE "secret-env", name, err);
    if (r < 0) return r;
    b->secrets[b->n_secrets++] = (struct bundle_secret){.name = name, .path = json_string_value(value)};
  }
  return 0;
}

/* Beneath its folder by its words alone: a/b, never ../b, /b or a//b. */
static bool relative_ok(const char *path) {
  if (!*path) return false;
  for (const char *p = path;; p++) {
    size_t len = strcspn(p, "/");
    if (!len || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.')) return false;
    p += len;
    if (!*p) return true;
  }
}

static int read_file_envs(struct bundle *b, const json_t *notes, struct err *err) {
  json_t *note, *item;
  size_t i;
  int r = load_note(b, notes, NOTE "file-env", JSON_ARRAY, &note, err);
  if (r < 0 || !json_array_size(note)) return r;
  b->file_envs = calloc(json_array_size(note), sizeof *b->file_envs);
  if (!b->file_envs) return err_set(err, ENOMEM, "bundle", "%s", "");
  json_array_foreach(note, i, item) {
    char at[JSON_AT_MAX];
    struct bundle_file_env *v = &b->file_envs[b->n_file_envs++];
    json_at_index(at, "annotations." NOTE "file-env", "", i);
    if (!json_is_object(item)) return err_set(err, 0, "bundle", "%s: expected an object", at);
    r = json_get_string(item, at, "name", true, &v->name, err);
    if (r == 0) r = json_get_string(item, at, "folder", true, &v->folder, err);
    if (r == 0) r = absolute(v->folder, at, "folder", err);
    if (r == 0) r = json_get_string(item, at, "path", true, &v->path, err);
    if (r == 0) r = json_get_string(item, at, "key", true, &v->key, err);
    if (r == 0) r = json_get_bool(item, at, "optional", &v->optional, err);
    if (r < 0) return r;
    if (!*v->name || strchr(v->name, '=')) return err_set(err, 0, "bundle", "%s.name: %s is no variable's name", at, v->name);
    if (!relative_ok(v->path)) return err_set(err, 0, "bundle", "%s.path: expected a relative path without . and ..", at);
  }
  return 0;
}

static int read_item(const json_t *item, const char *at, struct bundle_item *ret, struct err *err) {
  int64_t mode = 0644;
  int r = json_get_string(item, at, "path", true, &ret->path, err);
  if (r == 0) r = json_get_string(item, at, "source", true, &ret->source, err);
  if (r == 0) r = absolute(ret->source, at, "source", err);
  if (r == 0) r = json_get_int(item, at, "mode", 0, 07777, &mode, err);
  if (r == 0 && !relative_ok(ret->path)) return err_set(err, 0, "bundle", "%s.path: expected a relative path without . and ..", at);
  ret->mode = (mode_t)mode;
  return r;
}

int bundle_compare_paths(const char *a, const char *b) {
  for (;; a++, b++) {
    int x = *a == '/' ? 1 : (unsigned char)*a, y = *b == '/' ? 1 : (unsigned char)*b;
    if (x != y || !x) return x - y;
  }
}

/* Both lists are in the order of their destinations, and so is what they make together. */
static int by_destination(const void *a, const void *b) {
  return bundle_compare_paths(((const struct bundle_files *)a)->destination, ((const struct bundle_files *)b)->destination);
}

/* Adds the entries of one annotation. */
static int read_files(struct bundle *b, const json_t *notes, const char *name, bool live, struct err *err) {
  json_t *note, *item, *entry;
  size_t i, k;
  char path[64];
  snprintf(path, sizeof path, "annotations.%s", name);
  int r = load_note(b, notes, name, JSON_ARRAY, &note, err);
  if (r < 0 || !json_array_size(note)) return r;
  struct bundle_files *files = reallocarray(b->files, b->n_files + json_array_size(note), sizeof *files);
  if (!files) return err_set(err, ENOMEM, "bundle", "%s", "");
  memset(files + b->n_files, 0, json_array_size(note) * sizeof *files);
  b->files = files;
  json_array_foreach(note, i, item) {
    char at[JSON_AT_MAX], below[JSON_AT_MAX];
    struct bundle_files *f = &b->files[b->n_files++];
    f->live = live;
    json_t *items = NULL;
    json_at_index(at, path, "", i);
    if (!json_is_object(item)) return err_set(err, 0, "bundle", "%s: expected an object", at);
    f->group = -1;
    r = json_get_string(item, at, "destination", true, &f->destination, err);
    if (r == 0) r = absolute(f->destination, at, "destination", err);
    if (r == 0) r = json_get_string(item, at, "subPath", false, &f->sub_path, err);
    if (r == 0) r = json_get_bool(item, at, "readOnly", &f->read_only, err);
    if (r == 0) r = json_get_int(item, at, "group", 0, INT32_MAX, &f->group, err);
    if (r == 0) r = json_get_objects(item, at, "items", BUNDLE_SIZE_MAX, &items, err);
    if (r < 0) return r;
    if (f->sub_path && !relative_ok(f->sub_path))
      return err_set(err, 0, "bundle", "%s.subPath: expected a relative path without . and ..", at);
    f->items = calloc(json_array_size(items) + 1, sizeof *f->items);
    if (!f->items) return err_set(err, ENOMEM, "bundle", "%s", "");
    json_array_foreach(items, k, entry) {
      json_at_index(below, at, "items", k);
      r = read_item(entry, below, &f->items[f->n_items++], err);
      if (r < 0) return r;
    }
  }
  return 0;
}

static int read_flag(const json_t *notes, const char *key, const char *yes, const char *no, bool *ret, struct err *err) {
  const char *value = NULL;
  int r = json_get_string(notes, "annotations", key, false, &value, err);
  if (r < 0 || !value) return r;
  if (strcmp(value, yes) && strcmp(value, no)) return err_set(err, 0, "bundle", "annotations.%s: expected %s or %s", key, yes, no);
  *ret = !strcmp(value, yes);
  return 0;
}

/* Names of socket units with a space between: how many is what counts here, and the digest has all of them. */
static int read_sockets(const json_t *notes, unsigned *ret, struct err *err) {
  const char *list = NULL;
  int r = json_get_string(notes, "annotations", NOTE "sockets", false, &list, err);
  if (r < 0 || !list) return r;
  for (const char *p = list;; p++) {
    size_t len = strcspn(p, " ");
    if (!len) return err_set(err, 0, "bundle", "annotations." NOTE "sockets: expected names of units with a space between");
    ++*ret;
    p += len;
    if (!*p) return 0;
  }
}

static int read_hook(struct bundle *b, const json_t *notes, const char *name, struct hook *ret, struct err *err) {
  json_t *note;
  char at[JSON_AT_MAX];
  int r = load_note(b, notes, name, JSON_OBJECT, &note, err);
  if (r < 0 || !note) return r;
  json_at(at, "annotations", name);
  return hook_read(note, at, ret, err);
}

/* A number: names are podgen's matter. */
static int read_signal(const char *text, int *ret, struct err *err) {
  uint64_t number;
  if (!text) return 0;
  if (number_parse(text, false, 1, 64, &number) < 0) return err_set(err, 0, "bundle", "annotations." NOTE "reload-signal: %s", text);
  *ret = (int)number;
  return 0;
}

static int read_stdin(const char *word, enum stdin_kind *ret, struct err *err) {
  if (!word) return 0;
  *ret = !strcmp(word, "open") ? STDIN_OPEN : !strcmp(word, "once") ? STDIN_ONCE : STDIN_NONE;
  if (*ret == STDIN_NONE) return err_set(err, 0, "bundle", "annotations." NOTE "stdin: expected open or once"), -EINVAL;
  return 0;
}

int bundle_annotations(struct bundle *b, struct err *err) {
  const char *signal = NULL, *input = NULL;
  const struct {
    const char *key, **to;
    bool required;
  } strings[] = {
      {NOTE "pod", &b->pod, false},
      {NOTE "container", &b->container, false},
      {NOTE "unit", &b->unit, true},
      {NOTE "identifier", &b->identifier, true},
      {NOTE "log-fields", &b->log_fields, false},
      {NOTE "run-dir", &b->run_dir, true},
      {NOTE "join", &b->join, true},
      {NOTE "digest", &b->digest, false},
      {NOTE "user", &b->user_name, false},
      {NOTE "live-digest", &b->live_digest, false},
      {NOTE "reload-signal", &signal, false},
      {NOTE "message", &b->message_path, false},
      {NOTE "stdin", &input, false},
  };
  json_t *notes = NULL;
  const char *userns = NULL;
  b->digest = "";
  b->message_path = LASTWORDS_PATH;
  int r = json_get(b->root, "", "annotations", JSON_OBJECT, true, &notes, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(strings); i++)
    r = json_get_string(notes, "annotations", strings[i].key, strings[i].required, strings[i].to, err);
  if (r == 0) r = absolute(b->message_path, "annotations", NOTE "message", err);
  if (r == 0) r = read_flag(notes, NOTE "message-logs", "true", "false", &b->message_logs, err);
  if (r == 0) r = read_stdin(input, &b->input, err);
  if (r == 0) r = read_signal(signal, &b->reload_signal, err);
  if (r == 0) r = read_flag(notes, NOTE "seccomp", "unconfined", "default", &b->unconfined, err);
  if (r == 0) r = load_note(b, notes, NOTE "seccomp-profile", JSON_OBJECT, &b->seccomp, err);
  if (r == 0) r = read_flag(notes, NOTE "log", "none", "journald", &b->no_log, err);
  if (r == 0) r = read_flag(notes, NOTE "addresses", "true", "false", &b->addresses, err);
  if (r == 0) r = read_flag(notes, NOTE "privileged", "true", "false", &b->privileged, err);
  if (r == 0) r = read_flag(notes, NOTE "cgroup", "rw", "ro", &b->writable_cgroup, err);
  if (r == 0) r = read_flag(notes, NOTE "pid", "host", "pod", &b->host_pid, err);
  if (r == 0) r = read_flag(notes, NOTE "ipc", "host", "pod", &b->host_ipc, err);
  if (r == 0) r = read_flag(notes, NOTE "groups", "strict", "merge", &b->strict_groups, err);
  if (r == 0) r = read_flag(notes, NOTE "backoff", "true", "false", &b->backoff, err);
  if (r == 0) r = read_flag(notes, NOTE "notify", "container", "conmon", &b->notify, err);
  if (r == 0) r = read_flag(notes, NOTE "gated", "true", "false", &b->gated, err);
  if (r == 0) r = read_sockets(notes, &b->sockets, err);
  if (r == 0) r = json_get_string(notes, "annotations", NOTE "userns", false, &userns, err);
  if (r == 0) r = podids_parse(userns, "annotations." NOTE "userns", &b->ids, err);
  if (r == 0) r = read_rootfs(b, notes, err);
  if (r == 0) r = read_secrets(b, notes, err);
  if (r == 0) r = read_file_envs(b, notes, err);
  if (r == 0) r = read_hook(b, notes, NOTE "post-start", &b->post_start, err);
  if (r == 0) r = read_hook(b, notes, NOTE "pre-stop", &b->pre_stop, err);
  if (r == 0) r = read_files(b, notes, NOTE "files", false, err);
  if (r == 0) r = read_files(b, notes, NOTE "live-files", true, err);
  if (r == 0 && b->n_files > 1) qsort(b->files, b->n_files, sizeof *b->files, by_destination);
  return r;
}
