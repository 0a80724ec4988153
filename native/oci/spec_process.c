/* process of an OCI configuration: what is executed, as whom, where; see spec.h. Its rights and its scheduling have files of their own. */
#include "spec_read.h"

static int read_console(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  json_t *size = NULL;
  int64_t rows = 0, columns = 0;
  char path[JSON_AT_MAX];
  /* Without a terminal the runtime MUST ignore it (config.md, "Process"). */
  if (!p->terminal) return 0;
  int r = json_get(tree, at, "consoleSize", JSON_OBJECT, false, &size, err);
  if (r < 0 || !size) return r;
  json_at(path, at, "consoleSize");
  r = oci_read_number(size, path, "height", 0, UINT16_MAX, &rows, err);
  if (r == 0) r = oci_read_number(size, path, "width", 0, UINT16_MAX, &columns, err);
  p->rows = (unsigned short)rows;
  p->columns = (unsigned short)columns;
  return r;
}

static int read_groups(const json_t *user, const char *at, struct oci_process *p, struct err *err) {
  enum { GROUPS_MAX = 65536 }; /* setgroups(2), NGROUPS_MAX */
  json_t *groups = NULL, *item;
  size_t i;
  char path[JSON_AT_MAX];
  int r = json_get(user, at, "additionalGids", JSON_ARRAY, false, &groups, err);
  if (r < 0 || !json_array_size(groups)) return r;
  json_at(path, at, "additionalGids");
  if (json_array_size(groups) > GROUPS_MAX) return err_set(err, 0, "bundle", "%s: expected at most %d entries", path, GROUPS_MAX);
  p->groups = calloc(json_array_size(groups), sizeof *p->groups);
  if (!p->groups) return err_set(err, ENOMEM, "bundle", "%s", path);
  json_array_foreach(groups, i, item) {
    json_int_t group = json_integer_value(item);
    if (!json_is_integer(item) || group < 0 || group >= UINT32_MAX)
      return err_set(err, 0, "bundle", "%s[%zu]: expected a group id", path, i);
    p->groups[p->n_groups++] = (uint32_t)group;
  }
  return 0;
}

int oci_read_identity(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  json_t *user = NULL;
  int64_t uid = 0, gid = 0, umask_bits = -1;
  char path[JSON_AT_MAX];
  json_at(path, at, "user");
  int r = json_get(tree, at, "user", JSON_OBJECT, false, &user, err);
  if (r == 0) r = json_get_int(user, path, "uid", 0, UINT32_MAX - 1, &uid, err);
  if (r == 0) r = json_get_int(user, path, "gid", 0, UINT32_MAX - 1, &gid, err);
  if (r == 0) r = json_get_int(user, path, "umask", 0, 0777, &umask_bits, err);
  if (r == 0) r = read_groups(user, path, p, err);
  p->uid = (uint32_t)uid;
  p->gid = (uint32_t)gid;
  p->has_umask = umask_bits >= 0;
  if (p->has_umask) p->umask = (mode_t)umask_bits;
  return r;
}

static int read_args(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  char path[JSON_AT_MAX];
  json_at(path, at, "args");
  int r = json_get_strings(tree, at, "args", OCI_LIST_MAX, &p->args, NULL, err);
  return r == 0 && (!p->args || !p->args[0] || !p->args[0][0]) ? err_set(err, 0, "bundle", "%s: nothing to execute", path) : r;
}

static int read_env(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  char path[JSON_AT_MAX];
  json_at(path, at, "env");
  int r = json_get_strings(tree, at, "env", OCI_LIST_MAX, &p->env, NULL, err);
  for (size_t i = 0; r == 0 && p->env && p->env[i]; i++)
    if (p->env[i][0] == '=' || !strchr(p->env[i], '=')) return err_set(err, 0, "bundle", "%s[%zu]: expected NAME=value", path, i);
  return r;
}

int oci_process_parse(const json_t *tree, const char *at, struct oci_process *ret, struct err *err) {
  struct oci_process p = {0};
  if (!json_is_object(tree)) return err_set(err, 0, "bundle", "%s%sexpected an object", at, *at ? ": " : "");
  int r = json_get_bool(tree, at, "terminal", &p.terminal, err);
  if (r == 0) r = read_console(tree, at, &p, err);
  if (r == 0) r = read_args(tree, at, &p, err);
  if (r == 0) r = read_env(tree, at, &p, err);
  if (r == 0) r = oci_read_path(tree, at, "cwd", &p.cwd, err);
  if (r == 0) r = oci_read_identity(tree, at, &p, err);
  if (r == 0) r = oci_read_rights(tree, at, &p, err);
  if (r == 0) r = oci_read_scheduling(tree, at, &p, err);
  if (r < 0)
    oci_process_free(&p);
  else
    *ret = p;
  return r;
}

void oci_process_free(struct oci_process *p) {
  void *const all[] = {p->groups, p->args, p->env, p->rlimits};
  for (size_t i = 0; i < N_ELEMENTS(all); i++) free(all[i]);
  *p = (struct oci_process){0};
}
