/* mounts of an OCI configuration: see spec.h. What their options mean is mounts.h's. */
#include "spec_read.h"

/* A deprecated relative destination is relative to "/" (config.md, "Mounts"); the tree then has the absolute one. */
static int make_absolute(const json_t *item, struct oci_mount *m, struct err *err) {
  cleanup_free char *path = xformat("/%s", m->destination);
  json_t *value = path ? json_string(path) : NULL;
  if (!value || json_object_set_new((json_t *)item, "destination", value) < 0) return err_set(err, ENOMEM, "bundle", "%s", m->destination);
  m->destination = json_string_value(value);
  return 0;
}

static int read_mount(const json_t *item, const char *at, void *element, struct err *err) {
  struct oci_mount *m = element;
  int r = json_get_string(item, at, "destination", true, &m->destination, err);
  if (r == 0 && !*m->destination) return err_set(err, 0, "bundle", "%s.destination: expected a path", at);
  if (r == 0 && *m->destination != '/') r = make_absolute(item, m, err);
  if (r == 0) r = oci_read_text(item, at, "type", &m->type, err);
  if (r == 0) r = oci_read_text(item, at, "source", &m->source, err);
  if (r == 0) r = json_get_strings(item, at, "options", OCI_LIST_MAX, &m->options, NULL, err);
  if (r == 0) r = oci_read_id_map(item, at, "uidMappings", &m->uid_map, &m->n_uid_map, err);
  if (r == 0) r = oci_read_id_map(item, at, "gidMappings", &m->gid_map, &m->n_gid_map, err);
  if (r < 0) return r;
  if (!m->n_uid_map != !m->n_gid_map)
    return err_set(err, 0, "bundle", "%s: uidMappings and gidMappings go together", at); /* config.md, "POSIX-platform Mounts" */
  if (!m->options && !(m->options = calloc(1, sizeof *m->options))) return err_set(err, ENOMEM, "bundle", "%s", at);
  return 0;
}

int oci_read_mounts(const json_t *tree, struct oci_spec *ret, struct err *err) {
  return oci_read_list(tree, "", "mounts", OCI_LIST_MAX, sizeof *ret->mounts, read_mount, &ret->mounts, &ret->n_mounts, err);
}
