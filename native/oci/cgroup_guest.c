/* exec's process in the container's cgroup: see oci_cgroup_guest in cgroup.h; clone(2) and the kernel's cgroup-v2.rst, "Processes". */
#include <fcntl.h>

#include "cgroup.h"
#include "cgroup_path.h"
#include "cgroup_procs.h"

/* Of "a/b" or "/a/b" the path below a folder, "a/b"; NULL for the folder itself. */
static int below(const char *sub, char **ret, struct err *err) {
  bool bad = false;
  *ret = NULL;
  cleanup_free char *clean = sub && *sub ? cg_path_clean(sub, &bad) : NULL;
  if (sub && *sub && !clean) return err_set(err, bad ? 0 : ENOMEM, "cgroup", "%s: expected a path below the container's", sub);
  if (!clean || !strcmp(clean, "/")) return 0;
  *ret = strdup(clean + 1);
  return *ret ? 0 : err_set(err, ENOMEM, "cgroup", "%s", sub);
}

static int open_set(const struct oci_cgroup *cg, struct cg_set *ret, struct err *err) {
  if (!cg->path) return err_set(err, 0, "cgroup", "the container has no cgroup of its own");
  return cg_set_open(cg->path, ret, err);
}

int oci_cgroup_birthplace(const struct oci_cgroup *cg, const struct oci_cgroup_guest *guest, bool lowest) {
  struct cg_set set;
  struct err ignored;
  cleanup_free char *sub = NULL;
  int fd = -1;
  if (!cg->path || below(guest->sub, &sub, &ignored) < 0 || cg_set_open(cg->path, &set, &ignored) < 0) return -1;
  if (lowest && !sub) sub = cg_first_process(&set);
  if (cg_dir_v2(&set) >= 0) fd = openat(cg_dir_v2(&set), sub && *sub ? sub : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  cg_set_close(&set);
  return fd;
}

static bool is_below(const char *path, const char *folder) {
  const size_t n = strlen(folder);
  return !strncmp(path, folder, n) && (path[n] == '/' || !path[n]);
}

/* A folder of the container's name is not the container's where somebody else has made it: a user's in a hierarchy of root, say. */
static void leave_out_v1(struct cg_set *set, pid_t host) {
  for (size_t i = 0; i < set->l->n; i++) {
    if (set->l->h[i].v2) continue;
    cleanup_free char *path = cg_path_of(set->l, i, host);
    if (path && !is_below(path, set->path)) cg_set_leave_out(set, i);
  }
}

int oci_cgroup_join(const struct oci_cgroup *cg, const struct oci_cgroup_guest *guest, struct err *err) {
  struct cg_set set;
  cleanup_free char *sub = NULL;
  if ((!cg->path && !guest->sub) || (guest->is_in && cg->unified)) return 0;
  int r = open_set(cg, &set, err);
  if (r < 0) return r;
  r = below(guest->sub, &sub, err);
  if (r == 0) leave_out_v1(&set, guest->host);
  /* 0: ourselves, whatever number the container's PID namespace gives us. */
  if (r == 0) r = cg_set_enter(&set, sub, 0, guest->is_in, err);
  /* The container's own init (systemd, say) has made folders below, and then nobody may be above them: to where it is itself. */
  if (r == -EBUSY && !sub) {
    cleanup_free char *other = cg_first_process(&set);
    if (other && *other) r = cg_set_enter(&set, other, 0, guest->is_in, err);
  }
  cg_set_close(&set);
  return r;
}
