/* An OCI config.json as a whole: see spec.h. */
#include "spec.h"

#include "spec_read.h"

/* "1.MINOR.PATCH", and behind it what Semantic Versioning allows ("-rc.2+dev"). A newer minor version only adds (config.md). */
static bool version_ok(const char *version) {
  size_t minor, patch;
  if (strncmp(version, "1.", 2) != 0) return false;
  version += 2;
  minor = strspn(version, "0123456789");
  if (!minor || version[minor] != '.') return false;
  version += minor + 1;
  patch = strspn(version, "0123456789");
  return patch && (!version[patch] || version[patch] == '-' || version[patch] == '+');
}

static int read_version(struct oci_spec *s, struct err *err) {
  int r = json_get_string(s->tree, "", "ociVersion", true, &s->version, err);
  return r == 0 && !version_ok(s->version) ? err_set(err, 0, "bundle", "ociVersion: expected 1.x.y, not %.64s", s->version) : r;
}

static int read_process(struct oci_spec *s, struct err *err) {
  json_t *process = NULL;
  int r = json_get(s->tree, "", "process", JSON_OBJECT, false, &process, err);
  if (r == 0 && process) r = oci_process_parse(process, "process", &s->process, err);
  s->has_process = r == 0 && process;
  return r;
}

static int read_root(struct oci_spec *s, struct err *err) {
  json_t *root = NULL;
  int r = json_get(s->tree, "", "root", JSON_OBJECT, true, &root, err);
  if (r == 0) r = json_get_string(root, "root", "path", true, &s->root_path, err);
  if (r == 0 && !*s->root_path) return err_set(err, 0, "bundle", "root.path: expected a path");
  return r < 0 ? r : json_get_bool(root, "root", "readonly", &s->root_read_only, err);
}

static int read_linux(struct oci_spec *s, struct err *err) {
  json_t *section = NULL;
  int r = json_get(s->tree, "", "linux", JSON_OBJECT, false, &section, err);
  return r < 0 || !section ? r : oci_read_linux(section, s, err);
}

/* Needs to know the namespaces: without one of its own the container would name the host. */
static int read_names(struct oci_spec *s, struct err *err) {
  enum { NAME_LENGTH = 64 }; /* sethostname(2), HOST_NAME_MAX */
  const struct { const char *key, **name; } names[] = {{"hostname", &s->hostname}, {"domainname", &s->domainname}};
  for (size_t i = 0; i < N_ELEMENTS(names); i++) {
    int r = oci_read_text(s->tree, "", names[i].key, names[i].name, err);
    if (r < 0) return r;
    if (!*names[i].name) continue;
    if (strlen(*names[i].name) > NAME_LENGTH) return err_set(err, 0, "bundle", "%s: expected at most %d bytes", names[i].key, NAME_LENGTH);
    if (!s->ns[OCI_UTS].listed) return err_set(err, 0, "bundle", "%s: only with a uts namespace", names[i].key);
  }
  return 0;
}

int oci_spec_parse(const char *text, size_t len, struct oci_spec *ret, struct err *err) {
  struct oci_spec s = {0};
  json_error_t where = {0};
  oci_resources_init(&s.resources);
  s.tree = json_load(text, len, &where);
  if (!s.tree) return err_set(err, 0, "bundle", "config.json:%d:%d: %s", where.line, where.column, where.text);
  int r = json_is_object(s.tree) ? 0 : err_set(err, 0, "bundle", "config.json: expected an object");
  if (r == 0) r = read_version(&s, err);
  if (r == 0) r = read_process(&s, err);
  if (r == 0) r = read_root(&s, err);
  if (r == 0) r = oci_read_mounts(s.tree, &s, err);
  if (r == 0) r = oci_read_hooks(s.tree, &s, err);
  if (r == 0) r = oci_read_pairs(s.tree, "", "annotations", &s.annotations, &s.n_annotations, err);
  if (r == 0) r = read_linux(&s, err);
  if (r == 0) r = read_names(&s, err);
  if (r < 0)
    oci_spec_free(&s);
  else
    *ret = s;
  return r;
}

int oci_spec_read(int dir, struct oci_spec *ret, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(dir, "config.json", OCI_CONFIG_MAX, &text, &len);
  return r < 0 ? err_set(err, -r, "bundle", "config.json") : oci_spec_parse(text, len, ret, err);
}

const char *oci_annotation(const struct oci_spec *s, const char *key) {
  for (size_t i = 0; i < s->n_annotations; i++)
    if (!strcmp(s->annotations[i].key, key)) return s->annotations[i].value;
  return NULL;
}

void oci_spec_free(struct oci_spec *s) {
  oci_process_free(&s->process);
  oci_resources_free(&s->resources);
  oci_seccomp_free(&s->seccomp);
  for (size_t i = 0; i < s->n_mounts; i++) {
    free(s->mounts[i].options);
    free(s->mounts[i].uid_map);
    free(s->mounts[i].gid_map);
  }
  for (size_t p = 0; p < OCI_HOOK_POINTS; p++) {
    for (size_t i = 0; i < s->hooks[p].n; i++) {
      free(s->hooks[p].hook[i].args);
      free(s->hooks[p].hook[i].env);
    }
    free(s->hooks[p].hook);
  }
  void *const all[] = {s->mounts, s->annotations, s->uid_map, s->gid_map, s->devices, s->net_devices, s->sysctl, s->masked, s->read_only};
  for (size_t i = 0; i < N_ELEMENTS(all); i++) free(all[i]);
  json_decref(s->tree);
  *s = (struct oci_spec){0};
}
