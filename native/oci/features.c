/* podrt features: what is implemented, as runtime-spec's features.md wants it; whatever this machine allows (that is `podrt machine`). */
#include <jansson.h>

#include "lib/caps.h"
#include "mounts.h"
#include "verbs.h"

typedef const char *name_of(size_t i);

/* All names up to the first NULL, with a prefix. */
static json_t *names(const char *prefix, name_of *name) {
  json_t *list = json_array();
  for (size_t i = 0; name(i); i++) json_array_append_new(list, json_sprintf("%s%s", prefix, name(i)));
  return list;
}

static const char *hook(size_t i) {
  return i < OCI_HOOK_POINTS ? oci_hook_name((enum oci_hook_point)i) : NULL;
}
static const char *namespace(size_t i) {
  return i < OCI_NAMESPACES ? oci_namespace_name((enum oci_namespace)i) : NULL;
}
static const char *capability(size_t i) {
  return cap_name((unsigned)i);
}
static const char *action(size_t i) {
  return oci_seccomp_name(OCI_SECCOMP_ACTIONS, i);
}
static const char *operator(size_t i) {
  return oci_seccomp_name(OCI_SECCOMP_OPERATORS, i);
}
static const char *arch(size_t i) {
  return oci_seccomp_name(OCI_SECCOMP_ARCHES, i);
}
static const char *flag(size_t i) {
  return oci_seccomp_name(OCI_SECCOMP_FLAGS, i);
}

static json_t *mount_options(void) {
  json_t *list = json_array();
  char name[32];
  for (size_t i = 0; oci_mount_option(i, name); i++) json_array_append_new(list, json_string(name));
  return list;
}

static json_t *seccomp(void) {
  json_t *working = json_array();
  for (size_t i = 0; flag(i); i++)
    if (oci_seccomp_flag_works(i)) json_array_append_new(working, json_string(flag(i)));
  return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o}", "enabled", 1, "actions", names("", action), "operators", names("", operator), "archs",
                   names("", arch), "knownFlags", names("", flag), "supportedFlags", working);
}

/* No netDevices, which runtime-spec 1.3 has only: nothing newer than ociVersionMax may be there. They are moved all the same. */
static json_t *features(void) {
  json_t *linux_part = json_pack("{s:o, s:o, s:{s:b, s:b, s:b, s:b, s:b}, s:o, s:{s:b}, s:{s:b}, s:{s:b}, s:{s:{s:b}}}", "namespaces",
                                 names("", namespace), "capabilities", names("CAP_", capability), "cgroup", "v1", 1, "v2", 1, "systemd", 1,
                                 "systemdUser", 1, "rdma", 1, "seccomp", seccomp(), "apparmor", "enabled", 1, "selinux", "enabled", 1,
                                 "intelRdt", "enabled", 0, "mountExtensions", "idmap", "enabled", 1);
  return json_pack("{s:s, s:s, s:o, s:o, s:o, s:{s:s}}", "ociVersionMin", "1.0.0", "ociVersionMax", OCI_VERSION, "hooks", names("", hook),
                   "mountOptions", mount_options(), "linux", linux_part, "annotations", "io.podgen.podrt.version", PODRT_VERSION);
}

int oci_features(const struct oci_global *g, int argc, char **argv) {
  struct err err;
  (void)argv;
  if (argc != 1) {
    err_set(&err, 0, "usage", "podrt features");
    return oci_fail(g, &err);
  }
  json_t *root = features();
  bool ok = root && json_dumpf(root, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;
  json_decref(root);
  if (ok) return 0;
  err_set(&err, root ? errno : ENOMEM, "features", "standard output");
  return oci_fail(g, &err);
}
