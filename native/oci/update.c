/* podrt update: other limits for an OCI container, by runc's options or by --resources. */
#include <fcntl.h>

#include "lib/jsonload.h"
#include "resources.h"
#include "state.h"
#include "verbs.h"

enum { FILE_MAX = 1024 * 1024 };

/* "512M", "1g", "-1", "2048k", "10mb": of 1024, as docker's units package reads them. */
static bool read_size(const char *text, int64_t *ret) {
  static const char units[] = "kmgtp";
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (end == text || errno || value < -1) return false;
  const char low = (char)(*end >= 'A' && *end <= 'Z' ? *end + 32 : *end);
  const char *unit = low ? strchr(units, low) : NULL;
  if (unit) end++;
  if (*end == 'i' && unit) end++;
  if (*end == 'b' || *end == 'B') end++;
  if (*end || (unit && value < 0)) return false;
  if (unit && __builtin_mul_overflow(value, 1LL << (10 * (unit - units + 1)), &value)) return false;
  *ret = value;
  return true;
}

/* --- options --- */

struct flag {
  const char *name;
  size_t at;
  bool is_size;
};
#define FLAG(name, member, is_size) \
  { name, offsetof(struct oci_resources, member), is_size }
static const struct flag flags[] = {FLAG("blkio-weight", block_weight, false),
                                    FLAG("cpu-period", cpu_period, false),
                                    FLAG("cpu-quota", cpu_quota, false),
                                    FLAG("cpu-burst", cpu_burst, false),
                                    FLAG("cpu-share", cpu_shares, false),
                                    FLAG("cpu-rt-period", cpu_realtime_period, false),
                                    FLAG("cpu-rt-runtime", cpu_realtime_runtime, false),
                                    FLAG("cpu-idle", cpu_idle, false),
                                    FLAG("pids-limit", pids_limit, false),
                                    FLAG("memory", memory_limit, true),
                                    FLAG("memory-reservation", memory_reservation, true),
                                    FLAG("memory-swap", memory_swap, true),
                                    FLAG("kernel-memory", memory_kernel, true),
                                    FLAG("kernel-memory-tcp", memory_kernel_tcp, true)};
enum { MORE = 5 };

struct words {
  const char *value[N_ELEMENTS(flags)];
  const char *file, *cpus, *mems, *l3, *bandwidth;
};

static int read_words(int argc, char **argv, struct words *w, struct err *err) {
  struct oci_option table[N_ELEMENTS(flags) + MORE] = {{"resources", 'r', OCI_VALUE, &w->file},
                                                       {"cpuset-cpus", 0, OCI_VALUE, &w->cpus},
                                                       {"cpuset-mems", 0, OCI_VALUE, &w->mems},
                                                       {"l3-cache-schema", 0, OCI_VALUE, &w->l3},
                                                       {"mem-bw-schema", 0, OCI_VALUE, &w->bandwidth}};
  for (size_t i = 0; i < N_ELEMENTS(flags); i++) table[MORE + i] = (struct oci_option){flags[i].name, 0, OCI_VALUE, &w->value[i]};
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), err);
  if (i >= 0 && i + 1 != argc) return err_set(err, 0, "usage", "podrt update [OPTION…] ID");
  return i;
}

static int by_words(const struct words *w, struct oci_resources *ret, struct err *err) {
  oci_resources_init(ret);
  ret->cpus = w->cpus;
  ret->mems = w->mems;
  for (size_t i = 0; i < N_ELEMENTS(flags); i++) {
    char *end = NULL;
    int64_t value = 0;
    if (!w->value[i] || !*w->value[i]) continue;
    if (!flags[i].is_size) value = strtoll(w->value[i], &end, 10);
    if (flags[i].is_size ? !read_size(w->value[i], &value) : end == w->value[i] || *end)
      return err_set(err, 0, "option", "--%s: expected a number, not \"%s\"", flags[i].name, w->value[i]);
    *(int64_t *)((char *)ret + flags[i].at) = value;
  }
  return 0;
}

/* --- --resources --- */

/* Standard input may be a socket, which has no name to open it by. */
static int read_input(char **ret, size_t *ret_len) {
  cleanup_free char *text = malloc(FILE_MAX + 1);
  if (!text) return -ENOMEM;
  *ret_len = fread(text, 1, FILE_MAX + 1, stdin);
  if (ferror(stdin)) return -EIO;
  if (*ret_len > FILE_MAX) return -EFBIG;
  *ret = text;
  text = NULL;
  return 0;
}

static int by_file(const char *path, json_t **ret_tree, struct oci_resources *ret, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len = 0;
  int r = strcmp(path, "-") ? read_file_at(AT_FDCWD, path, FILE_MAX, &text, &len) : read_input(&text, &len);
  if (r < 0) return err_set(err, -r, "update", "%s", path);
  json_error_t where;
  *ret_tree = json_load(text, len, &where);
  if (!*ret_tree) return err_set(err, 0, "update", "%s: line %d: %s", path, where.line, where.text);
  return oci_resources_parse(*ret_tree, "resources", ret, err);
}

int oci_update(const struct oci_global *g, int argc, char **argv) {
  struct oci_container c = {.dir = -1};
  struct oci_resources resources;
  struct words w = {0};
  json_t *tree = NULL;
  struct err err;
  oci_resources_init(&resources);
  int i = read_words(argc, argv, &w, &err);
  if (i < 0) return oci_fail(g, &err);
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[i], &c, &err);
  if (r == 0 && oci_container_status(&c) == OCI_STOPPED) r = err_set(&err, 0, "update", "container \"%s\" is stopped", c.id);
  if (r == 0) r = w.file ? by_file(w.file, &tree, &resources, &err) : by_words(&w, &resources, &err);
  if (r == 0 && (w.l3 || w.bandwidth)) r = err_set(&err, 0, "update", "podrt has no Intel RDT");
  if (r == 0) r = oci_cgroup_update(&c.cgroup, &resources, &err);
  if (r < 0) oci_fail(g, &err);
  oci_resources_free(&resources);
  json_decref(tree);
  oci_container_free(&c);
  return r < 0;
}
