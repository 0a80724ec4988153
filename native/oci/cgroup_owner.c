/* Whom a container's cgroup belongs to: see cgroup.h; runtime-spec, config-linux.md, "Cgroup ownership". */
#include "cgroup.h"
#include "spec.h"

/* A cgroup namespace of its own, and its cgroups mounted to be written to. */
static bool may_write(const struct oci_spec *s) {
  if (!s->ns[OCI_CGROUP].listed || s->ns[OCI_CGROUP].path) return false;
  for (size_t i = 0; i < s->n_mounts; i++) {
    const struct oci_mount *m = &s->mounts[i];
    bool read_only = false;
    if (strcmp(m->destination, "/sys/fs/cgroup") || !m->source || strcmp(m->source, "cgroup")) continue;
    for (size_t k = 0; m->options[k]; k++) read_only |= !strcmp(m->options[k], "ro");
    return !read_only;
  }
  return false;
}

/* The host's number; 0 (root, who has it anyway) where there is none. */
static uint32_t outside(const struct oci_id_map *map, size_t n, uint32_t id) {
  for (size_t i = 0; i < n; i++)
    if (id >= map[i].inside && id - map[i].inside < map[i].count) return map[i].outside + (id - map[i].inside);
  return 0;
}

void oci_cgroup_wish_of(const struct oci_spec *s, struct oci_cgroup_wish *wish) {
  wish->annotations = s->annotations;
  wish->n_annotations = s->n_annotations;
  if (!s->has_process || !s->n_uid_map || !s->n_gid_map || !may_write(s)) return;
  wish->owner_uid = outside(s->uid_map, s->n_uid_map, s->process.uid);
  wish->owner_gid = outside(s->gid_map, s->n_gid_map, s->process.gid);
}
