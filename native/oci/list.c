/* podrt state and podrt list, as OCI engines call them. */
#include <dirent.h>
#include <fcntl.h>

#include "lib/subid.h"
#include "state.h"
#include "verbs.h"

int oci_state(const struct oci_global *g, int argc, char **argv) {
  struct oci_container c = {.dir = -1};
  struct oci_spec spec = {0};
  struct err err;
  if (argc != 2) {
    err_set(&err, 0, "usage", "podrt state ID");
    return oci_fail(g, &err);
  }
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[1], &c, &err);
  if (r < 0) return oci_fail(g, &err);
  struct err ignored;
  const bool has_spec = oci_container_spec(&c, &spec, &ignored) == 0;
  json_t *tree = oci_container_state(&c, has_spec ? &spec : NULL, oci_container_status(&c));
  r = tree && json_dumpf(tree, stdout, JSON_INDENT(2)) == 0 && putchar('\n') == '\n' && fflush(stdout) == 0 ? 0 : 1;
  json_decref(tree);
  if (has_spec) oci_spec_free(&spec);
  oci_container_free(&c);
  return r;
}

static json_t *entry(const struct oci_container *c) {
  char owner[64];
  const enum oci_status status = oci_container_status(c);
  subid_user_name(c->owner, owner);
  json_t *tree = oci_container_state(c, NULL, status);
  (void)json_object_set_new(tree, "owner", json_string(owner));
  return tree;
}

static int collect(int root, json_t *ret, struct err *err) {
  cleanup_fd int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return err_set(err, errno, "list", "%s", "");
  (void)steal_fd(&fd);
  for (struct dirent *e; (e = readdir(dir));) {
    struct oci_container c;
    struct err ignored;
    /* One that is deleted meanwhile is none. */
    if (!oci_id_valid(e->d_name) || oci_container_open(root, e->d_name, &c, &ignored) < 0) continue;
    (void)json_array_append_new(ret, entry(&c));
    oci_container_free(&c);
  }
  closedir(dir);
  return 0;
}

static const char *text_of(const json_t *item, const char *key) {
  const char *text = json_string_value(json_object_get(item, key));
  return text ? text : "";
}

static void print_table(const json_t *list, bool quiet) {
  static const char *const columns[] = {"id", "pid", "status", "bundle", "created", "owner"};
  static const char *const heads[] = {"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"};
  json_t *item;
  size_t i;
  int width[N_ELEMENTS(columns)] = {0};
  for (size_t k = 0; k < N_ELEMENTS(columns); k++) {
    width[k] = (int)strlen(heads[k]);
    json_array_foreach(list, i, item) {
      const int len = k == 1 ? 10 : (int)strlen(text_of(item, columns[k]));
      if (len > width[k]) width[k] = len;
    }
  }
  for (size_t k = 0; !quiet && k < N_ELEMENTS(columns); k++)
    printf("%-*s%s", width[k], heads[k], k + 1 < N_ELEMENTS(columns) ? "  " : "\n");
  json_array_foreach(list, i, item) {
    for (size_t k = 0; !quiet && k < N_ELEMENTS(columns); k++) {
      if (k == 1)
        printf("%-*lld  ", width[k], (long long)json_integer_value(json_object_get(item, "pid")));
      else
        printf("%-*s%s", width[k], text_of(item, columns[k]), k + 1 < N_ELEMENTS(columns) ? "  " : "\n");
    }
    if (quiet) puts(text_of(item, "id"));
  }
}

int oci_list(const struct oci_global *g, int argc, char **argv) {
  struct err err;
  const char *format = "table";
  bool quiet = false;
  const struct oci_option table[] = {{"format", 'f', OCI_VALUE, &format}, {"quiet", 'q', OCI_FLAG, &quiet}};
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), &err);
  if (i >= 0 && i != argc) i = err_set(&err, 0, "usage", "podrt list [--format table|json] [--quiet]");
  if (i >= 0 && strcmp(format, "table") && strcmp(format, "json")) i = err_set(&err, 0, "option", "--format: expected table or json");
  if (i < 0) return oci_fail(g, &err);
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  json_t *list = json_array();
  int r = root < 0 ? (err.code == ENOENT ? 0 : root) : collect(root, list, &err);
  if (r < 0)
    oci_fail(g, &err);
  else if (!strcmp(format, "json"))
    r = json_dumpf(list, stdout, JSON_COMPACT) == 0 && putchar('\n') == '\n' ? 0 : -EIO;
  else
    print_table(list, quiet);
  json_decref(list);
  return r < 0 || fflush(stdout) != 0;
}
