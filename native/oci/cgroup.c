/* A container's cgroup: see cgroup.h. */
#include "cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cgroup_devices.h"
#include "cgroup_limits.h"
#include "cgroup_path.h"
#include "cgroup_procs.h"
#include "cgroup_systemd.h"

/* --- where --- */

/*
 * linux.cgroupsPath, else a folder of our own. Who is not root has nothing but what was delegated to him: a folder below the one that we
 * are in, on cgroup2 alone (v1's delegation is not safe, cgroups(7)). *ret NULL: there is no such place.
 */
static int choose_path(const struct oci_cgroup_wish *wish, char **ret, struct err *err) {
  const struct cg_layout *l;
  bool bad;
  *ret = NULL;
  int r = cg_layout(&l, err);
  if (r < 0) return r;
  if (wish->cgroups_path && *wish->cgroups_path) {
    *ret = cg_path_clean(wish->cgroups_path, &bad);
    if (!*ret && !bad) return err_set(err, ENOMEM, "cgroup", "%s", wish->id);
    if (!*ret || !strcmp(*ret, "/"))
      return free(*ret), *ret = NULL, err_set(err, 0, "cgroup", "cgroupsPath %s: expected a path without \"..\"", wish->cgroups_path);
    return 0;
  }
  if (!wish->rootless) {
    *ret = xformat("/podrt/%s", wish->id);
    return *ret ? 0 : err_set(err, ENOMEM, "cgroup", "%s", wish->id);
  }
  if (l->v2 < 0) return 0;
  cleanup_free char *own = cg_path_of(l, (size_t)l->v2, 0);
  if (own) *ret = xformat("%s/podrt-%s", strcmp(own, "/") ? own : "", wish->id);
  return 0;
}

/* --- making --- */

/* A limit that was asked for and cannot be is an error; no cgroup at all is none for whoever may not make one. */
static int without(const struct oci_cgroup_wish *wish, struct oci_cgroup *ret, int why, struct err *err) {
  const bool said = wish->cgroups_path && *wish->cgroups_path;
  if (!wish->rootless || (said && !wish->rootless_own)) return why;
  const unsigned needs = cg_needs(wish->resources);
  for (unsigned i = 0; i < CG_CONTROLLERS; i++)
    if (needs & 1u << i)
      return err_set(err, 0, "cgroup", "a limit of %s needs a cgroup, and none is delegated to this user", cg_controller_name(i, true));
  if (wish->resources->n_unified)
    return err_set(err, 0, "cgroup", "linux.resources.unified needs a cgroup, and none is delegated to this user");
  ret->manager = OCI_CGROUP_DISABLED;
  return 0;
}

static int set_all(const struct oci_cgroup_wish *wish, const struct cg_set *set, struct err *err) {
  int r = cg_limits(set, wish->resources, false, err);
  if (r == 0) r = cg_devices(set, wish->resources, wish->rootless, err);
  if (r < 0 || !wish->owner_uid) return r;
  r = cg_set_chown(set, wish->owner_uid, wish->owner_gid, err);
  /* Only root may give things away. */
  return r == -EPERM && wish->rootless ? 0 : r;
}

static int prepare_folders(const struct oci_cgroup_wish *wish, struct oci_cgroup *ret, int *ret_fd, struct err *err) {
  struct cg_set set;
  cleanup_free char *path = NULL;
  int r = choose_path(wish, &path, err);
  if (r < 0) return r;
  if (!path) return without(wish, ret, err_set(err, ENOENT, "cgroup", "cgroup2 is not mounted"), err);
  const bool said = wish->cgroups_path && *wish->cgroups_path;
  r = cg_set_make(path, cg_needs(wish->resources), wish->rootless && !said, wish->rootless, &set, err);
  if (r == -EACCES || r == -EPERM || r == -EROFS || r == -ENOENT) return without(wish, ret, r, err);
  if (r < 0) return r;
  ret->unified = set.l->unified;
  r = set_all(wish, &set, err);
  if (r == 0 && cg_dir_v2(&set) >= 0) {
    *ret_fd = fcntl(cg_dir_v2(&set), F_DUPFD_CLOEXEC, 3);
    if (*ret_fd < 0) r = err_set(err, errno, "cgroup", "%s", path);
  }
  if (r < 0) {
    struct err ignored;
    (void)cg_set_remove(&set, &ignored);
  } else {
    ret->path = path;
    path = NULL;
  }
  cg_set_close(&set);
  return r;
}

int oci_cgroup_prepare(const struct oci_cgroup_wish *wish, struct oci_cgroup *ret, int *ret_fd, struct err *err) {
  *ret = (struct oci_cgroup){.manager = wish->manager};
  *ret_fd = -1;
  return wish->manager == OCI_CGROUPFS ? prepare_folders(wish, ret, ret_fd, err) : 0;
}

/* The folders that systemd has not made (what it does not know of v1, and cpuset), and all limits to the byte. */
static int enter_scope(const struct oci_cgroup_wish *wish, struct oci_cgroup *cg, pid_t pid, struct err *err) {
  struct cg_set set;
  int r = cg_scope_start(wish, pid, &cg->scope, &cg->path, err);
  if (r < 0) return r;
  r = cg_set_join(cg->path, cg_needs(wish->resources), wish->rootless, &set, err);
  if (r < 0) return r;
  cg->unified = set.l->unified;
  r = set_all(wish, &set, err);
  if (r == 0) r = cg_set_enter(&set, NULL, pid, cg_dir_v2(&set) >= 0, err);
  cg_set_close(&set);
  return r;
}

int oci_cgroup_enter(const struct oci_cgroup_wish *wish, struct oci_cgroup *cg, pid_t pid, bool is_in, struct err *err) {
  struct cg_set set;
  if (cg->manager == OCI_CGROUP_SYSTEMD) return enter_scope(wish, cg, pid, err);
  if (!cg->path || (is_in && cg->unified)) return 0;
  int r = cg_set_open(cg->path, &set, err);
  if (r < 0) return r;
  r = cg_set_enter(&set, NULL, pid, is_in, err);
  cg_set_close(&set);
  return r;
}

/* --- what is there --- */

static int open_set(const struct oci_cgroup *cg, struct cg_set *ret, struct err *err) {
  if (!cg->path) return err_set(err, 0, "cgroup", "the container has no cgroup of its own");
  return cg_set_open(cg->path, ret, err);
}

int oci_cgroup_update(const struct oci_cgroup *cg, const struct oci_resources *resources, struct err *err) {
  struct cg_set set;
  int r = open_set(cg, &set, err);
  if (r < 0) return r;
  if (cg->scope) r = cg_scope_update(cg->scope, resources, err);
  if (r == 0) r = cg_limits(&set, resources, true, err);
  if (r == 0 && resources->has_devices) r = cg_devices(&set, resources, false, err);
  cg_set_close(&set);
  return r;
}

int oci_cgroup_freeze(const struct oci_cgroup *cg, bool frozen, struct err *err) {
  struct cg_set set;
  int r = open_set(cg, &set, err);
  if (r < 0) return r;
  r = cg_freeze(&set, frozen);
  cg_set_close(&set);
  return r < 0 ? err_set(err, -r, "cgroup", frozen ? "freezing %s" : "thawing %s", cg->path) : 0;
}

bool oci_cgroup_is_frozen(const struct oci_cgroup *cg) {
  struct cg_set set;
  struct err ignored;
  if (!cg->path || cg_set_open(cg->path, &set, &ignored) < 0) return false;
  const bool frozen = cg_is_frozen(&set);
  cg_set_close(&set);
  return frozen;
}

int oci_cgroup_processes(const struct oci_cgroup *cg, pid_t **ret, size_t *ret_n, struct err *err) {
  struct cg_set set;
  int r = open_set(cg, &set, err);
  if (r < 0) return r;
  r = cg_processes(&set, ret, ret_n);
  cg_set_close(&set);
  return r < 0 ? err_set(err, -r, "cgroup", "the processes of %s", cg->path) : 0;
}

/* --- the end --- */

int oci_cgroup_kill(const struct oci_cgroup *cg, int number, struct err *err) {
  struct cg_set set;
  if (!cg->path) return 0;
  int r = cg_set_open(cg->path, &set, err);
  if (r < 0) return r;
  r = cg_kill(&set, number);
  cg_set_close(&set);
  return r < 0 ? err_set(err, -r, "cgroup", "signalling the processes of %s", cg->path) : 0;
}

int oci_cgroup_remove(const struct oci_cgroup *cg, struct err *err) {
  struct cg_set set;
  if (!cg->path) return 0;
  int r = cg_set_open(cg->path, &set, err);
  if (r < 0) return r;
  bool there = false;
  for (size_t i = 0; i < set.l->n && cg->scope; i++) there |= cg_dir_at(&set, i) >= 0;
  /* systemd collects a scope that has become empty by itself. */
  if (there) r = cg_scope_stop(cg->scope, err);
  if (r == 0) r = cg_set_remove(&set, err);
  cg_set_close(&set);
  return r;
}

/* Is nobody in it? Also when there is none in the hierarchy that is looked at, which is not the first to be made. */
static bool set_is_empty(const struct cg_set *set) {
  cleanup_free pid_t *pid = NULL;
  size_t n = 0;
  const int r = cg_processes(set, &pid, &n);
  return (r == 0 && n == 0) || r == -ENOENT;
}

void oci_cgroup_remove_remains(const struct oci_cgroup_wish *wish) {
  struct cg_set set;
  struct err ignored;
  cleanup_free char *path = NULL;
  if (choose_path(wish, &path, &ignored) < 0 || !path || cg_set_open(path, &set, &ignored) < 0) return;
  if (set_is_empty(&set)) (void)cg_set_remove(&set, &ignored);
  cg_set_close(&set);
}

void oci_cgroup_free(struct oci_cgroup *cg) {
  free(cg->path);
  free(cg->scope);
  cg->path = cg->scope = NULL;
}
