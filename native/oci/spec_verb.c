/* podrt spec [--rootless] [--bundle DIR]: a config.json to begin with, as runc writes it: a shell, few rights, own namespaces. */
#include <fcntl.h>
#include <jansson.h>

#include "verbs.h"

enum { MOUNT_OPTIONS = 7 };
static const struct {
  const char *destination, *type, *source, *options[MOUNT_OPTIONS];
} mounts[] = {
    {"/proc", "proc", "proc", {NULL}},
    {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}},
    {"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
    {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
    {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}},
    {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}},
    {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}},
};
static const char *const capabilities[] = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL};
static const char *const env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", NULL};
static const char *const masked[] = {
    "/proc/acpi",        "/proc/asound",  "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/sys/firmware", "/proc/scsi",  NULL};
static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL};
static const char *const own_bind[] = {"rbind", "nosuid", "noexec", "nodev", "ro", NULL};
static const char *const namespaces[] = {"pid", "network", "ipc", "uts", "mount", "cgroup", NULL};
/* Without a network of its own: a user alone cannot connect one to anything. */
static const char *const own_namespaces[] = {"pid", "ipc", "uts", "mount", "cgroup", "user", NULL};

static json_t *strings(const char *const *list) {
  json_t *array = json_array();
  for (; *list; list++) json_array_append_new(array, json_string(*list));
  return array;
}

static json_t *mount_of(size_t i, bool rootless) {
  /* sysfs belongs to the network namespace (sysfs(5)), which here is the host's: it can only be bound. */
  if (rootless && !strcmp(mounts[i].type, "sysfs"))
    return json_pack("{s:s, s:s, s:s, s:o}", "destination", "/sys", "type", "none", "source", "/sys", "options", strings(own_bind));
  json_t *options = json_array();
  for (size_t k = 0; k < MOUNT_OPTIONS && mounts[i].options[k]; k++)
    if (!rootless || strncmp(mounts[i].options[k], "gid=", 4) != 0) /* there is one group */
      json_array_append_new(options, json_string(mounts[i].options[k]));
  return json_pack("{s:s, s:s, s:s, s:o}", "destination", mounts[i].destination, "type", mounts[i].type, "source", mounts[i].source,
                   "options", options);
}

static json_t *process(void) {
  return json_pack("{s:b, s:{s:i, s:i}, s:[s], s:o, s:s, s:{s:o, s:o, s:o}, s:[{s:s, s:i, s:i}], s:b}", "terminal", 1, "user", "uid", 0,
                   "gid", 0, "args", "sh", "env", strings(env), "cwd", "/", "capabilities", "bounding", strings(capabilities), "effective",
                   strings(capabilities), "permitted", strings(capabilities), "rlimits", "type", "RLIMIT_NOFILE", "hard", 1024, "soft",
                   1024, "noNewPrivileges", 1);
}

static json_t *linux_part(bool rootless) {
  json_t *list = json_array();
  for (const char *const *ns = rootless ? own_namespaces : namespaces; *ns; ns++)
    json_array_append_new(list, json_pack("{s:s}", "type", *ns));
  json_t *part = json_pack("{s:o, s:o, s:o}", "namespaces", list, "maskedPaths", strings(masked), "readonlyPaths", strings(read_only));
  if (!rootless) {
    json_object_set_new(part, "resources", json_pack("{s:[{s:b, s:s}]}", "devices", "allow", 0, "access", "rwm"));
    return part;
  }
  const json_int_t ids[] = {geteuid(), getegid()};
  static const char *const maps[] = {"uidMappings", "gidMappings"};
  for (size_t i = 0; i < N_ELEMENTS(maps); i++)
    json_object_set_new(part, maps[i], json_pack("[{s:i, s:I, s:i}]", "containerID", 0, "hostID", ids[i], "size", 1));
  return part;
}

static json_t *config(bool rootless) {
  json_t *list = json_array();
  for (size_t i = 0; i < N_ELEMENTS(mounts); i++) json_array_append_new(list, mount_of(i, rootless));
  return json_pack("{s:s, s:o, s:{s:s, s:b}, s:s, s:o, s:o}", "ociVersion", OCI_VERSION, "process", process(), "root", "path", "rootfs",
                   "readonly", 1, "hostname", "podrt", "mounts", list, "linux", linux_part(rootless));
}

/* Never over one that is there: it may be work. */
static int write_config(const char *bundle, bool rootless, struct err *err) {
  json_t *tree = config(rootless);
  cleanup_free char *text = tree ? json_dumps(tree, JSON_INDENT(4)) : NULL;
  json_decref(tree);
  if (!text) return err_set(err, ENOMEM, "spec", "config.json");
  cleanup_fd int dir = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return err_set(err, errno, "bundle", "%s", bundle);
  cleanup_fd int fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return err_set(err, errno, "bundle", "config.json");
  int r = write_all(fd, text, strlen(text));
  if (r == 0) r = write_all(fd, "\n", 1);
  if (r == 0) return 0;
  (void)unlinkat(dir, "config.json", 0);
  return err_set(err, -r, "write", "config.json");
}

int oci_spec_verb(const struct oci_global *g, int argc, char **argv) {
  const char *bundle = ".";
  bool rootless = false;
  struct err err;
  const struct oci_option table[] = {{"bundle", 'b', OCI_VALUE, &bundle}, {"rootless", 0, OCI_FLAG, &rootless}};
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), &err);
  if (i >= 0 && i != argc) i = err_set(&err, 0, "usage", "podrt spec [--rootless] [--bundle DIR]");
  return i < 0 || write_config(bundle, rootless, &err) < 0 ? oci_fail(g, &err) : 0;
}
