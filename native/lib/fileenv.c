/* Variables from files of volumes: see fileenv.h. */
#include "fileenv.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "inroot.h"

/* The kubelet's limit of such a file, and what a start of ours keeps of all of them. */
enum { FILE_LIMIT = 64 * 1024, KEPT_LIMIT = 4 * 1024 * 1024 };

#define KEPT "file-env"

/* --- the format --- */

static const char *skip_blanks(const char *p) {
  return p + strspn(p, " \t");
}

/* One `name='value'` at `p`. Returns what is behind its line, NULL when it is none. The value is p[*at] and so on. */
static const char *take(const char *p, size_t *ret_name, const char **ret_value, size_t *ret_len) {
  const size_t name = strcspn(p, "= \t\r\n");
  if (!name || p[name] != '=') return NULL;
  *ret_name = name;
  p += name + 1;
  *ret_value = p;
  *ret_len = 0;
  if (*p == '\'') {
    const char *end = strchr(p + 1, '\'');
    if (!end) return NULL;
    *ret_value = p + 1;
    *ret_len = (size_t)(end - p - 1);
    p = end + 1;
    /* 'a'b is no end of a value. */
    if (*p && !strchr(" \t\r\n", *p)) return NULL;
  }
  p = skip_blanks(p);
  if (*p == '#') p += strcspn(p, "\n");
  if (*p == '\r') p++;
  return *p == '\n' ? p + 1 : *p ? NULL : p;
}

int fileenv_find(const char *text, const char *key, char **ret, unsigned *ret_line) {
  const size_t key_len = strlen(key);
  unsigned line = 1;
  for (const char *p = text; *p;) {
    const char *start = p, *value;
    size_t name, len;
    *ret_line = line;
    p = skip_blanks(p);
    if (*p == '#' || *p == '\n' || *p == '\r' || !*p) {
      p += strcspn(p, "\n");
      if (*p) p++;
    } else {
      const char *at = p;
      p = take(at, &name, &value, &len);
      if (!p) return -EINVAL;
      if (name == key_len && !strncmp(at, key, name)) return (*ret = strndup(value, len)) ? 1 : -ENOMEM;
    }
    for (; start < p; start++) line += *start == '\n';
  }
  return 0;
}

/* --- at the start --- */

static int read_value(const struct bundle_file_env *v, char **ret, struct err *err) {
  cleanup_free char *text = NULL;
  unsigned line = 0;
  cleanup_fd int folder = open(v->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  /* Its links are a container's: they end at the volume's root. */
  int r = folder < 0 ? -errno : inroot_read_file(folder, v->path, FILE_LIMIT, &text);
  if (r == -ENOENT && v->optional) return 0;
  if (r < 0 || !text) return err_set(err, r < 0 ? -r : ENOMEM, "file", "variable %s: %s of the volume", v->name, v->path);
  r = fileenv_find(text, v->key, ret, &line);
  if (r == -EINVAL) return err_set(err, 0, "file", "variable %s: %s, line %u: expected VAR='value'", v->name, v->path, line);
  if (r == 0 && !v->optional) return err_set(err, 0, "file", "variable %s: %s has no %s", v->name, v->path, v->key);
  return r < 0 ? err_set(err, -r, "file", "variable %s", v->name) : r;
}

int fileenv_read(const struct bundle *b, struct environment *env, int run_dir, struct err *err) {
  if (!b->n_file_envs) return 0;
  json_t *kept = json_object();
  int r = kept ? 0 : err_set(err, ENOMEM, "file", "%s", "");
  for (size_t i = 0; r == 0 && i < b->n_file_envs; i++) {
    cleanup_free char *value = NULL;
    r = read_value(&b->file_envs[i], &value, err);
    if (r <= 0) continue;
    r = environment_set(env, b->file_envs[i].name, value);
    if (r == 0 && json_object_set_new(kept, b->file_envs[i].name, json_string(value)) < 0) r = -EINVAL;
    if (r < 0) err_set(err, -r, "file", "variable %s: its value is no UTF-8", b->file_envs[i].name);
  }
  char *text = r == 0 ? json_dumps(kept, JSON_COMPACT) : NULL;
  if (r == 0 && (r = text ? write_file_atomic_at(run_dir, KEPT, text, strlen(text), 0600) : -ENOMEM) < 0) err_set(err, -r, "write", KEPT);
  free(text);
  json_decref(kept);
  return r;
}

int fileenv_recall(const struct bundle *b, struct environment *env, int run_dir, struct err *err) {
  if (!b->n_file_envs) return 0;
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(run_dir, KEPT, KEPT_LIMIT, &text, &len);
  if (r < 0) return err_set(err, -r, "read", KEPT);
  json_t *kept = json_loadb(text, len, 0, NULL), *value;
  const char *name;
  json_object_foreach(kept, name, value) {
    if (r == 0 && json_is_string(value)) r = environment_set(env, name, json_string_value(value));
  }
  json_decref(kept);
  return r < 0 ? err_set(err, -r, "environment", "%s", "") : 0;
}
