/* linux of an OCI configuration: see spec.h. Namespaces and devices have files of their own. */
#include <linux/personality.h>

#include "spec_read.h"

static int read_propagation(const json_t *section, struct oci_spec *ret, struct err *err) {
  static const struct oci_word words[] = {{"shared", 0},  {"slave", 0},  {"private", 0},  {"unbindable", 0},
                                          {"rshared", 0}, {"rslave", 0}, {"rprivate", 0}, {"runbindable", 0}};
  uint64_t ignored;
  int r = oci_read_text(section, "linux", "rootfsPropagation", &ret->rootfs_propagation, err);
  if (r < 0 || !ret->rootfs_propagation) return r;
  return oci_read_word(section, "linux", "rootfsPropagation", words, N_ELEMENTS(words), &ignored, err);
}

static int read_paths(const json_t *section, const char *key, const char ***ret, struct err *err) {
  int r = json_get_strings(section, "linux", key, OCI_LIST_MAX, ret, NULL, err);
  for (size_t i = 0; r == 0 && *ret && (*ret)[i]; i++)
    if ((*ret)[i][0] != '/') return err_set(err, 0, "bundle", "linux.%s[%zu]: expected an absolute path", key, i);
  return r;
}

static int read_personality(const json_t *section, struct oci_spec *ret, struct err *err) {
  static const struct oci_word domains[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};
  json_t *personality = NULL;
  uint64_t domain = 0, flags = 0;
  int r = json_get(section, "linux", "personality", JSON_OBJECT, false, &personality, err);
  if (r < 0 || !personality) return r;
  r = oci_read_word(personality, "linux.personality", "domain", domains, N_ELEMENTS(domains), &domain, err);
  if (r == 0) r = oci_read_flags(personality, "linux.personality", "flags", NULL, 0, &flags, err); /* none exists so far */
  ret->has_personality = true;
  ret->personality = (unsigned long)domain;
  return r;
}

static int read_limits(const json_t *section, struct oci_spec *ret, struct err *err) {
  json_t *resources = NULL, *seccomp = NULL, *rdt = NULL;
  int r = json_get(section, "linux", "resources", JSON_OBJECT, false, &resources, err);
  if (r == 0) r = json_get(section, "linux", "seccomp", JSON_OBJECT, false, &seccomp, err);
  if (r == 0) r = json_get(section, "linux", "intelRdt", JSON_OBJECT, false, &rdt, err);
  if (r == 0) r = oci_resources_parse(resources, "linux.resources", &ret->resources, err);
  if (r == 0 && seccomp) r = oci_seccomp_parse(seccomp, "linux.seccomp", &ret->seccomp, err);
  ret->has_seccomp = r == 0 && seccomp;
  ret->has_rdt = rdt;
  return r;
}

int oci_read_linux(const json_t *section, struct oci_spec *ret, struct err *err) {
  int r = oci_read_namespaces(section, ret, err);
  if (r == 0) r = oci_read_devices(section, ret, err);
  if (r == 0) r = oci_read_pairs(section, "linux", "sysctl", &ret->sysctl, &ret->n_sysctl, err);
  if (r == 0) r = oci_read_text(section, "linux", "cgroupsPath", &ret->cgroups_path, err);
  if (r == 0) r = read_propagation(section, ret, err);
  if (r == 0) r = read_paths(section, "maskedPaths", &ret->masked, err);
  if (r == 0) r = read_paths(section, "readonlyPaths", &ret->read_only, err);
  if (r == 0) r = oci_read_text(section, "linux", "mountLabel", &ret->mount_label, err);
  if (r == 0) r = read_personality(section, ret, err);
  if (r == 0) r = read_limits(section, ret, err);
  return r;
}
