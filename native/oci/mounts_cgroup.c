/* The cgroup folder of an OCI container, on cgroup v2, v1 and hybrid machines: see mounts_plan.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "lib/inroot.h"
#include "mounts_plan.h"

#define CGROUPS "/sys/fs/cgroup"
enum { CGROUP2_MAGIC = 0x63677270, LIST_MAX = 64 * 1024, MANY = 32 };

/* One hierarchy, from a line of /proc/self/cgroup: "4:cpu,cpuacct:/path", "1:name=systemd:/path", "0::/path" (cgroups(7)). */
struct hierarchy {
  char *controllers, *path;
  const char *name; /* of its folder below /sys/fs/cgroup */
};

static size_t parse(char *text, struct hierarchy ret[MANY]) {
  size_t n = 0;
  char *save, *p = text;
  for (char *line; n < MANY && (line = strtok_r(p, "\n", &save)); p = NULL) {
    char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!path) continue;
    *controllers++ = 0;
    *path++ = 0;
    struct hierarchy *h = &ret[n++];
    *h = (struct hierarchy){.controllers = controllers, .path = path, .name = controllers};
    if (!*controllers) h->name = "unified";
    if (!strncmp(controllers, "name=", 5)) h->name = controllers + 5;
    /* The kernel's order and systemd's are not the same. */
    if (!strcmp(controllers, "cpuacct,cpu")) h->name = "cpu,cpuacct";
    if (!strcmp(controllers, "net_prio,net_cls")) h->name = "net_cls,net_prio";
  }
  return n;
}

/* A clone of one folder of a hierarchy; -ENOENT where it is not there. */
static int clone_folder(const char *top, const char *path) {
  cleanup_free char *whole = xformat("%s%s", top, path);
  return whole ? oci_host_clone(whole, false, false) : -ENOMEM;
}

static const char *own_path(const struct oci_mounts *m) {
  return m->cgroup ? m->cgroup->path : NULL;
}

static bool own_namespace(const struct oci_spec *spec) {
  return spec->ns[OCI_CGROUP].listed;
}

static uint64_t attrs_of(const struct oci_mount_plan *plan) {
  return plan->set | plan->recursive_set;
}

/* --- v2 --- */

/*
 * With a cgroup namespace a new cgroup2 shows its own part. Without one it would show the host's whole tree: then the container's own
 * folder is bound; so it is where the kernel does not let us (EPERM: not our cgroup namespace, EBUSY: something covers it).
 */
static int new_unified(struct oci_mounts *m, size_t i, const char *top, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  int fd = -EPERM;
  if (own_namespace(m->spec) || !own_path(m)) fd = oci_fs_new("cgroup2", "cgroup2", plan, attrs_of(plan), NULL, err);
  if (fd >= 0 || (fd != -EPERM && fd != -EBUSY)) return fd;
  fd = own_path(m) ? clone_folder(top, own_path(m)) : -ENOENT;
  if (fd == -ENOENT) fd = clone_folder(top, "");
  if (fd < 0) return err_set(err, -fd, "mount", "%s", plan->path);
  struct oci_mount_plan all = *plan;
  all.recursive = true;
  all.recursive_set |= plan->set;
  int r = oci_plan_apply(&all, fd);
  if (r == 0) return fd;
  close(fd);
  return err_set(err, -r, "mount", "%s: options", plan->path);
}

/* --- v1 and hybrid: a tmpfs with a folder for each hierarchy --- */

/* A new mount shows the container's cgroup namespace. */
static int new_hierarchy(const struct hierarchy *h) {
  struct mount_param params[8];
  struct oci_mount_plan plan = {.data = params};
  cleanup_free char *words = strdup(h->controllers);
  char *save, *p = words;
  struct err ignored;
  if (!words) return -ENOMEM;
  if (!*words) return oci_fs_new("cgroup2", "cgroup2", &plan, 0, NULL, &ignored);
  if (!strncmp(words, "name=", 5)) {
    params[plan.n_data++] = (struct mount_param){"none", NULL};
    params[plan.n_data++] = (struct mount_param){"name", words + 5};
  } else {
    for (char *word; plan.n_data < N_ELEMENTS(params) && (word = strtok_r(p, ",", &save)); p = NULL)
      params[plan.n_data++] = (struct mount_param){word, NULL};
  }
  return oci_fs_new("cgroup", "cgroup", &plan, 0, NULL, &ignored);
}

/* The container's folder; where it has none here, the one that it shares with its maker. */
static int open_hierarchy(const struct oci_mounts *m, const struct hierarchy *h) {
  cleanup_free char *top = xformat(CGROUPS "/%s", h->name);
  if (!top) return -ENOMEM;
  int fd = own_path(m) ? clone_folder(top, own_path(m)) : -ENOENT;
  /* Read by ourselves in a cgroup namespace of our own, the path is "/" whatever it is. */
  if (fd == -ENOENT && (m->own_cgroups || !own_namespace(m->spec))) fd = clone_folder(top, h->path);
  return fd < 0 && own_namespace(m->spec) ? new_hierarchy(h) : fd;
}

/* "cpu" and "cpuacct" beside "cpu,cpuacct", as on the host. */
static int link_parts(int tmpfs, const char *name) {
  cleanup_free char *words = strchr(name, ',') ? strdup(name) : NULL;
  char *save, *p = words;
  for (char *word; words && (word = strtok_r(p, ",", &save)); p = NULL)
    if (symlinkat(name, tmpfs, word) < 0 && errno != EEXIST) return -errno;
  return 0;
}

/* A hierarchy that this machine has no folder of, or that may not be seen, is left out. */
static int add_hierarchy(const struct oci_mounts *m, int tmpfs, const struct hierarchy *h) {
  cleanup_fd int tree = open_hierarchy(m, h);
  if (tree < 0) return tree == -ENOMEM ? tree : 0;
  if (mkdirat(tmpfs, h->name, 0755) < 0) return errno == EEXIST ? 0 : -errno;
  int r = mountfd_attach_at(tree, tmpfs, h->name);
  return r < 0 ? r : link_parts(tmpfs, h->name);
}

static int mount_hierarchies(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  struct mount_param params[] = {{"mode", "0755"}, {"size", "1m"}};
  const struct oci_mount_plan small = {.data = params, .n_data = N_ELEMENTS(params)};
  cleanup_free char *text = m->own_cgroups ? strdup(m->own_cgroups) : NULL;
  struct hierarchy all[MANY];
  int r = text ? 0 : read_file_at(AT_FDCWD, "/proc/self/cgroup", LIST_MAX, &text, NULL);
  if (r < 0) return err_set(err, -r, "mount", "/proc/self/cgroup");
  cleanup_fd int tmpfs =
      oci_fs_new("tmpfs", "cgroup", &small, attrs_of(plan) & ~(uint64_t)MOUNT_ATTR_RDONLY, oci_mount_label(m->spec), err);
  if (tmpfs < 0) return tmpfs;
  r = oci_target_attach(m, i, tmpfs, true, false, err);
  if (r < 0) return r;
  const size_t n = parse(text, all);
  for (size_t k = 0; r == 0 && k < n; k++) r = add_hierarchy(m, tmpfs, &all[k]);
  /* One call for all of them. */
  if (r == 0) r = mountfd_set(tmpfs, attrs_of(plan), MS_PRIVATE, true);
  return r < 0 ? err_set(err, -r, "mount", "%s", plan->path) : 0;
}

static bool is_unified(void) {
  struct statfs fs;
  return statfs(CGROUPS, &fs) == 0 && fs.f_type == CGROUP2_MAGIC;
}

/* systemd moves the container elsewhere before its file systems are made; everybody else says where (m->cgroup->path). */
int oci_cgroup_look(struct oci_mounts *m, struct err *err) {
  bool wanted = false;
  for (size_t i = 0; i < m->spec->n_mounts; i++)
    wanted = wanted || (m->spec->mounts[i].type && !m->plans[i].bind && !strcmp(m->spec->mounts[i].type, "cgroup"));
  if (!wanted || (m->cgroup && m->cgroup->manager == OCI_CGROUP_SYSTEMD) || is_unified()) return 0;
  int r = read_file_at(AT_FDCWD, "/proc/self/cgroup", LIST_MAX, &m->own_cgroups, NULL);
  return r < 0 ? err_set(err, -r, "mount", "/proc/self/cgroup") : 0;
}

int oci_cgroup_mount(struct oci_mounts *m, size_t i, struct err *err) {
  const bool unified = !m->own_cgroups && is_unified();
  if (!unified && !strcmp(m->spec->mounts[i].type, "cgroup")) return mount_hierarchies(m, i, err);
  cleanup_fd int fd = new_unified(m, i, unified ? CGROUPS : CGROUPS "/unified", err);
  return fd < 0 ? fd : oci_target_attach(m, i, fd, true, false, err);
}
