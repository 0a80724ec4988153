/* The file systems of an OCI container: see mounts.h. Here: what comes when. */
#include "mounts.h"

#include <limits.h>
#include <sys/stat.h>

#include "lib/mask.h"
#include "mounts_plan.h"

/* --- in the parent --- */

static int allocate(struct oci_mounts *m) {
  const size_t n = m->spec->n_mounts;
  m->plans = calloc(n + 1, sizeof *m->plans);
  m->prepared = malloc((n + 1) * sizeof *m->prepared);
  m->late = malloc((n + 1) * sizeof *m->late);
  if (!m->plans || !m->prepared || !m->late) return -ENOMEM;
  for (size_t i = 0; i <= n; i++) m->prepared[i] = -1;
  return 0;
}

static bool is_bind(const struct oci_mount *mount) {
  bool found = mount->type && !strcmp(mount->type, "bind");
  for (size_t i = 0; mount->options[i]; i++) found = found || !strcmp(mount->options[i], "bind") || !strcmp(mount->options[i], "rbind");
  return found;
}

static bool has_relative(const struct oci_spec *spec) {
  bool found = *spec->root_path != '/';
  for (size_t i = 0; i < spec->n_mounts; i++)
    found = found || (spec->mounts[i].source && *spec->mounts[i].source != '/' && is_bind(&spec->mounts[i]));
  return found;
}

/* What a relative path begins with. A descriptor would stay in the old mount namespace. */
static int bundle_path(const struct oci_mounts *m, char ret[PATH_MAX + 1], struct err *err) {
  char link[48];
  *ret = 0;
  if (!has_relative(m->spec)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", m->bundle);
  const ssize_t n = readlink(link, ret, PATH_MAX);
  if (n > 0 && n < PATH_MAX) {
    memcpy(ret + n, "/", 2);
    return 0;
  }
  *ret = 0;
  if (n >= 0) errno = ENAMETOOLONG;
  return errno == ENAMETOOLONG && fchdir(m->bundle) == 0 ? 0 : err_set(err, errno, "bundle", "its path");
}

int oci_mounts_prepare(struct oci_mounts *m, struct err *err) {
  m->root = m->devpts = m->prepared_root = m->dev = m->proc = -1;
  m->n_late = 0;
  m->dev_is_hosts = false;
  m->binds_devices = m->new_userns;
  m->root_path = m->own_cgroups = NULL;
  m->plans = NULL;
  m->prepared = m->late = NULL;
  char bundle[PATH_MAX + 1];
  if (!m->spec->root_path) return err_set(err, 0, "root", "the configuration has none");
  int r = allocate(m) < 0 ? err_set(err, ENOMEM, "mount", "%s", "") : bundle_path(m, bundle, err);
  for (size_t i = 0; r == 0 && i < m->spec->n_mounts; i++) r = oci_plan_parse(&m->spec->mounts[i], bundle, &m->plans[i], err);
  if (r == 0 && !(m->root_path = xformat("%s%s", *m->spec->root_path == '/' ? "" : bundle, m->spec->root_path)))
    r = err_set(err, ENOMEM, "root", "%s", m->spec->root_path);
  if (r == 0) r = oci_sysctl_check(m->spec, err);
  if (r == 0) r = oci_cgroup_look(m, err);
  for (size_t i = 0; r == 0 && i < m->spec->n_mounts && oci_own_mounts(m->spec); i++) r = oci_bind_prepare(m, i, err);
  if (r == 0 && oci_own_mounts(m->spec)) oci_root_prepare(m);
  if (r < 0) oci_mounts_release(m);
  return r;
}

void oci_mounts_release(struct oci_mounts *m) {
  for (size_t i = 0; m->plans && i < m->spec->n_mounts; i++) {
    oci_plan_free(&m->plans[i]);
    if (m->prepared && m->prepared[i] >= 0) close(m->prepared[i]);
  }
  for (size_t i = 0; m->late && i < m->n_late; i++) close(m->late[i]);
  int *const fds[] = {&m->root, &m->devpts, &m->prepared_root, &m->dev, &m->proc};
  for (size_t i = 0; i < N_ELEMENTS(fds); i++)
    if (*fds[i] >= 0) close(steal_fd(fds[i]));
  free(m->root_path);
  free(m->own_cgroups);
  free(m->plans);
  m->root_path = NULL;
  free(m->prepared);
  free(m->late);
  m->plans = NULL;
  m->prepared = m->late = NULL;
  m->n_late = 0;
}

/* --- in the child --- */

/* Devices come as soon as /dev is what it will be, so that what is mounted on single ones later covers them. */
static size_t last_of_dev(const struct oci_mounts *m) {
  size_t last = SIZE_MAX;
  for (size_t i = 0; i < m->spec->n_mounts; i++)
    if (!m->plans[i].remount && (!strcmp(m->plans[i].path, "/dev") || !strcmp(m->plans[i].path, "/"))) last = i;
  return last;
}

int oci_mounts_make(struct oci_mounts *m, struct err *err) {
  int r = oci_root_make(m, err);
  if (r < 0 || !oci_own_mounts(m->spec)) return r;
  /* Modes are as they are said, whatever the caller's mask. */
  const mode_t mask = umask(0);
  const size_t dev = last_of_dev(m);
  for (size_t i = 0; r == 0 && i < m->spec->n_mounts; i++) {
    r = oci_mount_one(m, i, err);
    if (r == 0 && i == dev) r = oci_devices_make(m, err);
  }
  if (r == 0 && dev == SIZE_MAX) r = oci_devices_make(m, err);
  (void)umask(mask);
  return r;
}

int oci_mounts_enter(struct oci_mounts *m, struct err *err) {
  int r = oci_sysctl_set(m, err);
  if (r == 0) r = mask_paths(m->root, m->spec->masked, oci_mount_label(m->spec), err);
  if (r == 0) r = mask_read_only(m->root, m->spec->read_only, err);
  return r == 0 ? oci_root_enter(m, err) : r;
}
