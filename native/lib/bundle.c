/* The OCI part of a container's bundle: see bundle.h. */
#include "bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>

#include "jsonget.h"
#include "rlimits.h"

enum { MAX_PATHS = 256, MAX_OPTIONS = 1024 /* an image has a layer in each of up to 500 */, MAX_GROUPS = 1024, MAX_RLIMITS = 64 };

/* --- process --- */

static int read_user(struct bundle *b, const json_t *process, struct err *err) {
  json_t *user = NULL, *groups = NULL, *item;
  int64_t uid = 0, gid = 0;
  size_t i;
  int r = json_get(process, "process", "user", JSON_OBJECT, false, &user, err);
  if (r == 0) r = json_get_int(user, "process.user", "uid", 0, UINT32_MAX - 1, &uid, err);
  if (r == 0) r = json_get_int(user, "process.user", "gid", 0, UINT32_MAX - 1, &gid, err);
  if (r == 0) r = json_get(user, "process.user", "additionalGids", JSON_ARRAY, false, &groups, err);
  if (r < 0) return r;
  b->uid = (uint32_t)uid;
  b->gid = (uint32_t)gid;
  if (!json_array_size(groups)) return 0;
  if (json_array_size(groups) > MAX_GROUPS) return err_set(err, 0, "bundle", "process.user.additionalGids: more than %d", MAX_GROUPS);
  b->groups = calloc(json_array_size(groups), sizeof *b->groups);
  if (!b->groups) return err_set(err, ENOMEM, "bundle", "%s", "");
  json_array_foreach(groups, i, item) {
    json_int_t group = json_integer_value(item);
    if (!json_is_integer(item) || group < 0 || group >= UINT32_MAX)
      return err_set(err, 0, "bundle", "process.user.additionalGids[%zu]: expected a group id", i);
    b->groups[b->n_groups++] = (uint32_t)group;
  }
  return 0;
}

static int read_caps(struct bundle *b, const json_t *process, struct err *err) {
  const struct {
    const char *key;
    uint64_t *set;
  } sets[] = {{"bounding", &b->caps.bounding},
              {"effective", &b->caps.effective},
              {"permitted", &b->caps.permitted},
              {"inheritable", &b->caps.inheritable},
              {"ambient", &b->caps.ambient}};
  json_t *caps = NULL;
  int r = json_get(process, "process", "capabilities", JSON_OBJECT, false, &caps, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(sets); i++) {
    cleanup_free const char **names = NULL;
    r = json_get_strings(caps, "process.capabilities", sets[i].key, 64, &names, NULL, err);
    for (size_t k = 0; r == 0 && names && names[k]; k++) {
      int number = cap_number(names[k]);
      if (number < 0) return err_set(err, 0, "bundle", "process.capabilities.%s[%zu]: unknown capability %s", sets[i].key, k, names[k]);
      *sets[i].set |= 1ull << number;
    }
  }
  return r;
}

static int read_rlimits(struct bundle *b, const json_t *process, struct err *err) {
  json_t *list = NULL, *item;
  size_t i;
  int r = json_get_objects(process, "process", "rlimits", MAX_RLIMITS, &list, err);
  if (r < 0 || !json_array_size(list)) return r;
  b->rlimits = calloc(json_array_size(list), sizeof *b->rlimits);
  if (!b->rlimits) return err_set(err, ENOMEM, "bundle", "%s", "");
  json_array_foreach(list, i, item) {
    char at[JSON_AT_MAX];
    const char *type = NULL;
    int64_t soft = -1, hard = -1;
    struct bundle_rlimit *limit = &b->rlimits[b->n_rlimits++];
    json_at_index(at, "process", "rlimits", i);
    r = json_get_string(item, at, "type", true, &type, err);
    /* JSON's numbers end below RLIM_INFINITY, which is 2^64-1: writers use -1 or 2^63-1 for it. */
    if (r == 0) r = json_get_int(item, at, "soft", -1, INT64_MAX, &soft, err);
    if (r == 0) r = json_get_int(item, at, "hard", -1, INT64_MAX, &hard, err);
    if (r < 0) return r;
    limit->resource = rlimit_number(type);
    if (limit->resource < 0) return err_set(err, 0, "bundle", "%s.type: unknown limit %s", at, type);
    limit->soft = soft < 0 || soft == INT64_MAX ? RLIM_INFINITY : (uint64_t)soft;
    limit->hard = hard < 0 || hard == INT64_MAX ? RLIM_INFINITY : (uint64_t)hard;
    if (limit->soft > limit->hard) return err_set(err, 0, "bundle", "%s.soft: above the hard limit", at);
  }
  return 0;
}

static int read_env(struct bundle *b, const json_t *process, struct err *err) {
  int r = json_get_strings(process, "process", "env", BUNDLE_SIZE_MAX, &b->env, NULL, err);
  for (size_t i = 0; r == 0 && b->env && b->env[i]; i++)
    if (b->env[i][0] == '=' || !strchr(b->env[i], '=')) return err_set(err, 0, "bundle", "process.env[%zu]: expected NAME=value", i);
  return r;
}

static int read_process(struct bundle *b, struct err *err) {
  json_t *process = NULL;
  int64_t oom = INT64_MIN;
  size_t n = 0;
  int r = json_get(b->root, "", "process", JSON_OBJECT, true, &process, err);
  if (r == 0) r = json_get_bool(process, "process", "terminal", &b->terminal, err);
  if (r == 0) r = json_get_strings(process, "process", "args", BUNDLE_SIZE_MAX, &b->args, &n, err);
  if (r == 0 && (!n || !b->args[0][0])) return err_set(err, 0, "bundle", "process.args: nothing to execute");
  if (r == 0) r = read_env(b, process, err);
  b->cwd = "/";
  if (r == 0) r = json_get_string(process, "process", "cwd", false, &b->cwd, err);
  if (r == 0 && b->cwd[0] != '/') return err_set(err, 0, "bundle", "process.cwd: expected an absolute path");
  if (r == 0) r = json_get_bool(process, "process", "noNewPrivileges", &b->no_new_privs, err);
  if (r == 0) r = json_get_int(process, "process", "oomScoreAdj", -1000, 1000, &oom, err);
  if (oom != INT64_MIN) {
    b->has_oom = true;
    b->oom_score_adj = (int)oom;
  }
  if (r == 0) r = json_get_string(process, "process", "apparmorProfile", false, &b->apparmor, err);
  if (r == 0) r = read_user(b, process, err);
  if (r == 0) r = read_caps(b, process, err);
  if (r == 0) r = read_rlimits(b, process, err);
  return r;
}

/* --- mounts, linux --- */

static int read_mounts(struct bundle *b, struct err *err) {
  json_t *list = NULL, *item;
  size_t i;
  int r = json_get_objects(b->root, "", "mounts", BUNDLE_SIZE_MAX, &list, err);
  if (r < 0 || !json_array_size(list)) return r;
  b->mounts = calloc(json_array_size(list), sizeof *b->mounts);
  if (!b->mounts) return err_set(err, ENOMEM, "bundle", "%s", "");
  json_array_foreach(list, i, item) {
    char at[JSON_AT_MAX];
    struct bundle_mount *m = &b->mounts[b->n_mounts++];
    m->type = "bind";
    json_at_index(at, "", "mounts", i);
    r = json_get_string(item, at, "destination", true, &m->destination, err);
    if (r == 0) r = json_get_string(item, at, "type", false, &m->type, err);
    if (r == 0) r = json_get_string(item, at, "source", false, &m->source, err);
    if (r == 0) r = json_get_strings(item, at, "options", MAX_OPTIONS, &m->options, NULL, err);
    if (r < 0) return r;
    if (m->destination[0] != '/') return err_set(err, 0, "bundle", "%s.destination: expected an absolute path", at);
    if (!strcmp(m->type, "bind") && (!m->source || m->source[0] != '/'))
      return err_set(err, 0, "bundle", "%s.source: expected an absolute path", at);
    if (!m->options && !(m->options = calloc(1, sizeof *m->options))) return err_set(err, ENOMEM, "bundle", "%s", "");
  }
  return 0;
}

static int read_linux(struct bundle *b, struct err *err) {
  json_t *section = NULL, *list = NULL, *item;
  size_t i;
  int r = json_get(b->root, "", "linux", JSON_OBJECT, false, &section, err);
  if (r == 0) r = json_get_strings(section, "linux", "maskedPaths", MAX_PATHS, &b->masked, NULL, err);
  if (r == 0) r = json_get_strings(section, "linux", "readonlyPaths", MAX_PATHS, &b->read_only, NULL, err);
  if (r == 0) r = json_get_objects(section, "linux", "namespaces", 16, &list, err);
  if (r < 0) return r;
  json_array_foreach(list, i, item) {
    char at[JSON_AT_MAX];
    const char *type = NULL;
    json_at_index(at, "linux", "namespaces", i);
    r = json_get_string(item, at, "type", true, &type, err);
    if (r < 0) return r;
    if (!strcmp(type, "pid"))
      b->own_pid = true;
    else if (strcmp(type, "mount") && strcmp(type, "cgroup"))
      return err_set(err, 0, "bundle", "%s.type: %s is the pod's, not a container's", at, type);
  }
  return 0;
}

static int read_root(struct bundle *b, struct err *err) {
  json_t *root = NULL;
  int r = json_get(b->root, "", "root", JSON_OBJECT, false, &root, err);
  if (r == 0) r = json_get_string(root, "root", "path", false, &b->root_path, err);
  if (r == 0) r = json_get_bool(root, "root", "readonly", &b->root_read_only, err);
  if (r == 0 && !b->has_layers && (!b->root_path || !*b->root_path)) return err_set(err, 0, "bundle", "root.path: expected a string");
  return r;
}

/* --- the whole --- */

int bundle_parse(const char *text, size_t len, const char *folder, struct bundle *ret, struct err *err) {
  struct bundle b = {0};
  json_error_t where;
  b.root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &where);
  if (!b.root) return err_set(err, 0, "bundle", "%s/config.json:%d:%d: %s", folder, where.line, where.column, where.text);
  int r = json_is_object(b.root) ? 0 : err_set(err, 0, "bundle", "%s/config.json: expected an object", folder);
  b.folder = strdup(folder);
  if (!b.folder) r = err_set(err, ENOMEM, "bundle", "%s", "");
  if (r == 0) r = bundle_annotations(&b, err);
  if (r == 0) r = read_process(&b, err);
  if (r == 0) r = read_root(&b, err);
  if (r == 0) r = read_mounts(&b, err);
  if (r == 0) r = read_linux(&b, err);
  if (r == 0 && b.input != STDIN_NONE && b.terminal)
    r = (err_set(err, 0, "bundle", "annotations.io.podgen.stdin: there is a terminal"), -EINVAL);
  if (r == 0 && b.no_log && b.terminal) r = err_set(err, 0, "bundle", "annotations.io.podgen.log: somebody has to read a terminal");
  if (r == 0 && b.own_pid && b.host_pid)
    r = err_set(err, 0, "bundle", "annotations.io.podgen.pid: the container has a PID namespace of its own");
  if (r < 0)
    bundle_free(&b);
  else
    *ret = b;
  return r;
}

int bundle_read(const char *folder, struct bundle *ret, struct err *err) {
  if (folder[0] != '/') return err_set(err, 0, "bundle", "%s: expected an absolute path", folder);
  cleanup_free char *path = xformat("%s/config.json", folder);
  cleanup_free char *text = NULL;
  size_t len;
  if (!path) return err_set(err, ENOMEM, "bundle", "%s", folder);
  int r = read_file_at(AT_FDCWD, path, BUNDLE_SIZE_MAX, &text, &len);
  return r < 0 ? err_set(err, -r, "bundle", "%s", path) : bundle_parse(text, len, folder, ret, err);
}

void bundle_free(struct bundle *b) {
  json_decref(b->root);
  for (size_t i = 0; i < N_ELEMENTS(b->notes); i++) json_decref(b->notes[i]);
  for (size_t i = 0; i < b->n_mounts; i++) free(b->mounts[i].options);
  for (size_t i = 0; i < b->n_files; i++) free(b->files[i].items);
  void *const all[] = {b->folder,
                       b->rootfs.layers,
                       b->groups,
                       b->args,
                       b->env,
                       b->rlimits,
                       b->masked,
                       b->read_only,
                       b->mounts,
                       b->files,
                       b->secrets,
                       b->post_start.args,
                       b->pre_stop.args,
                       b->file_envs,
                       (void *)b->post_start.http.headers,
                       (void *)b->pre_stop.http.headers};
  for (size_t i = 0; i < N_ELEMENTS(all); i++) free(all[i]);
  *b = (struct bundle){0};
}
