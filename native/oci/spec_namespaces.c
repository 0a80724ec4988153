/* linux.namespaces of an OCI configuration, and what belongs to namespaces: id maps, offsets of clocks; see spec.h. */
#include <linux/sched.h>

#include "spec_read.h"

static const struct {
  const char *name;
  uint64_t flag;
} kinds[OCI_NAMESPACES] = {
    [OCI_USER] = {"user", CLONE_NEWUSER},       [OCI_NETWORK] = {"network", CLONE_NEWNET}, [OCI_IPC] = {"ipc", CLONE_NEWIPC},
    [OCI_UTS] = {"uts", CLONE_NEWUTS},          [OCI_PID] = {"pid", CLONE_NEWPID},         [OCI_MOUNT] = {"mount", CLONE_NEWNS},
    [OCI_CGROUP] = {"cgroup", CLONE_NEWCGROUP}, [OCI_TIME] = {"time", CLONE_NEWTIME},
};

const char *oci_namespace_name(enum oci_namespace ns) {
  return kinds[ns].name;
}

uint64_t oci_namespace_flag(enum oci_namespace ns) {
  return kinds[ns].flag;
}

struct listed {
  int kind;
  const char *path;
};

static int read_namespace(const json_t *item, const char *at, void *element, struct err *err) {
  struct listed *ns = element;
  const char *type = NULL;
  int r = json_get_string(item, at, "type", true, &type, err);
  if (r == 0) r = oci_read_text(item, at, "path", &ns->path, err);
  if (r < 0) return r;
  for (ns->kind = 0; ns->kind < OCI_NAMESPACES && strcmp(type, kinds[ns->kind].name) != 0;) ns->kind++;
  if (ns->kind == OCI_NAMESPACES) return err_set(err, 0, "bundle", "%s.type: unknown namespace %.64s", at, type);
  if (ns->path && ns->path[0] != '/') return err_set(err, 0, "bundle", "%s.path: expected an absolute path", at);
  return 0;
}

static int read_offset(const json_t *section, const char *key, struct oci_time_offset *ret, struct err *err) {
  json_t *offset = NULL;
  int64_t nanosecs = 0;
  char path[JSON_AT_MAX];
  int r = json_get(section, "linux.timeOffsets", key, JSON_OBJECT, false, &offset, err);
  if (r < 0 || !offset) return r;
  json_at(path, "linux.timeOffsets", key);
  ret->set = true;
  r = json_get_int(offset, path, "secs", INT64_MIN, INT64_MAX, &ret->secs, err);
  if (r == 0) r = json_get_int(offset, path, "nanosecs", 0, 999999999, &nanosecs, err); /* time_namespaces(7) */
  ret->nanosecs = (uint32_t)nanosecs;
  return r;
}

static int read_offsets(const json_t *section, struct oci_spec *ret, struct err *err) {
  json_t *offsets = NULL, *value;
  const char *clock;
  int r = json_get(section, "linux", "timeOffsets", JSON_OBJECT, false, &offsets, err);
  if (r == 0) r = read_offset(offsets, "monotonic", &ret->monotonic, err);
  if (r == 0) r = read_offset(offsets, "boottime", &ret->boottime, err);
  if (r < 0) return r;
  json_object_foreach(offsets, clock, value) if (strcmp(clock, "monotonic") != 0 && strcmp(clock, "boottime") != 0) return err_set(
      err, 0, "bundle", "linux.timeOffsets.%.64s: no clock that has an offset", clock);
  if ((ret->monotonic.set || ret->boottime.set) && (!ret->ns[OCI_TIME].listed || ret->ns[OCI_TIME].path))
    return err_set(err, 0, "bundle", "linux.timeOffsets: only for a new time namespace");
  return 0;
}

int oci_read_namespaces(const json_t *section, struct oci_spec *ret, struct err *err) {
  enum { LISTED_MAX = 64 };
  cleanup_free struct listed *list = NULL;
  size_t n = 0;
  int r = oci_read_list(section, "linux", "namespaces", LISTED_MAX, sizeof *list, read_namespace, &list, &n, err);
  for (size_t i = 0; r == 0 && i < n; i++) {
    if (ret->ns[list[i].kind].listed) /* config-linux.md, "Namespaces" */
      return err_set(err, 0, "bundle", "linux.namespaces[%zu].type: %s is listed twice", i, kinds[list[i].kind].name);
    ret->ns[list[i].kind].listed = true;
    ret->ns[list[i].kind].path = list[i].path;
  }
  if (r == 0) r = oci_read_id_map(section, "linux", "uidMappings", &ret->uid_map, &ret->n_uid_map, err);
  if (r == 0) r = oci_read_id_map(section, "linux", "gidMappings", &ret->gid_map, &ret->n_gid_map, err);
  /* Who wrote maps wants their protection: without the namespace they would quietly have none. */
  if (r == 0 && (ret->n_uid_map || ret->n_gid_map) && !ret->ns[OCI_USER].listed)
    return err_set(err, 0, "bundle", "linux.%s: only with a user namespace", ret->n_uid_map ? "uidMappings" : "gidMappings");
  return r < 0 ? r : read_offsets(section, ret, err);
}
