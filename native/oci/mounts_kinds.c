/* Mounts of an OCI container, one kind after the other: see mounts_plan.h. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "lib/inroot.h"
#include "lib/rootfs.h"
#include "mounts_plan.h"

static uint64_t attrs_of(const struct oci_mount_plan *plan) {
  return plan->set | plan->recursive_set;
}

/* Who says "slave" or "shared" of a new file system means what will be mounted below. */
static int set_propagation(const struct oci_mount_plan *plan, int mount, struct err *err) {
  int r = plan->propagation ? mountfd_set(mount, 0, plan->propagation, false) : 0;
  return r < 0 ? err_set(err, -r, "mount", "%s: propagation", plan->path) : 0;
}

/* The descriptor is remembered for later steps. */
static void keep(int *fd, int *to) {
  if (*to >= 0) close(*to);
  *to = steal_fd(fd);
}

/* What is in /dev now is the container's own affair. */
static void keep_dev(struct oci_mounts *m, int *fd) {
  keep(fd, &m->dev);
  m->dev_is_hosts = false;
}

/*
 * What the kernel keeps for itself is bound from the host: sysfs belongs to a network namespace, mqueue to an IPC namespace, proc to a PID
 * namespace, and of another user namespace's they cannot be mounted. Read-only with all below where it was asked for that, as the field
 * does.
 */
static int clone_kernel_fs(const char *host, const struct oci_mount_plan *plan, struct err *err) {
  cleanup_fd int fd = oci_host_clone(host, true, false);
  if (fd < 0) return err_set(err, -fd, "bind", "%s", host);
  struct oci_mount_plan all = *plan;
  all.recursive = true;
  all.recursive_set |= plan->set;
  int r = oci_plan_apply(&all, fd);
  return r < 0 ? err_set(err, -r, "bind", "%s: options", host) : steal_fd(&fd);
}

/*
 * A new proc shows a PID namespace of the container's own; the kernel also refuses it where parts of every /proc in sight are covered,
 * which is so in most containers.
 */
static int mount_proc(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  cleanup_fd int fd = oci_fs_new("proc", m->spec->mounts[i].source, plan, attrs_of(plan), NULL, err);
  if (fd == -EPERM && m->spec->ns[OCI_PID].listed)
    return err_set(err, EPERM, "mount", "proc: inside a container, podrt needs one with a /proc that is not masked");
  const bool is_new = fd >= 0;
  if (fd == -EPERM) fd = clone_kernel_fs("/proc", plan, err);
  int r = fd < 0 ? fd : oci_target_attach(m, i, fd, true, true, err);
  if (r == 0) r = set_propagation(plan, fd, err);
  if (r == 0 && is_new && m->spec->n_sysctl && !strcmp(plan->path, "/proc")) keep(&fd, &m->proc);
  return r;
}

static int mount_sysfs(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  cleanup_fd int fd = oci_fs_new("sysfs", m->spec->mounts[i].source, plan, attrs_of(plan), NULL, err);
  if (fd == -EPERM && attrs_of(plan) & MOUNT_ATTR_RDONLY) fd = clone_kernel_fs("/sys", plan, err);
  return fd < 0 ? fd : oci_target_attach(m, i, fd, true, true, err);
}

/*
 * All mounts of an IPC namespace are one file system, made before anybody could name a context. The host's own is left alone. One whose
 * root belongs to an id outside (EPERM: made with a user namespace), or that the policy has no labels for (EOPNOTSUPP), stays as it is.
 */
static int label_mqueue(const struct oci_spec *spec, int mount, struct err *err) {
  const char *label = spec->ns[OCI_IPC].listed ? oci_mount_label(spec) : NULL;
  if (!label) return 0;
  cleanup_fd int root = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root >= 0 && fsetxattr(root, "security.selinux", label, strlen(label), 0) == 0) return 0;
  return root >= 0 && (errno == EPERM || errno == EOPNOTSUPP) ? 0 : err_set(err, errno, "mountLabel", "mqueue: %s", label);
}

static int mount_mqueue(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  cleanup_fd int fd = oci_fs_new("mqueue", m->spec->mounts[i].source, plan, attrs_of(plan), NULL, err);
  int r = fd < 0 ? 0 : label_mqueue(m->spec, fd, err);
  if (fd == -EPERM) fd = clone_kernel_fs("/dev/mqueue", plan, err);
  if (r == 0 && fd < 0) r = fd;
  return r < 0 ? r : oci_target_attach(m, i, fd, true, false, err);
}

static bool has_key(const struct oci_mount_plan *plan, const char *key) {
  for (size_t i = 0; i < plan->n_data; i++)
    if (!strcmp(plan->data[i].key, key)) return true;
  return false;
}

/* The image's folder lends its mode, as with every runtime of the field. */
static int new_tmpfs(struct oci_mounts *m, size_t i, int target, struct err *err) {
  struct oci_mount_plan plan = m->plans[i];
  struct mount_param params[plan.n_data + 1];
  char mode[8];
  struct stat st;
  if (fstat(target, &st) < 0) return err_set(err, errno, "mount", "%s", plan.path);
  if (!S_ISDIR(st.st_mode)) return err_set(err, ENOTDIR, "mount", "%s", plan.path);
  snprintf(mode, sizeof mode, "%04o", st.st_mode & 07777);
  if (plan.n_data) memcpy(params, plan.data, plan.n_data * sizeof *params);
  params[plan.n_data++] = (struct mount_param){"mode", mode};
  plan.data = params;
  return oci_fs_new("tmpfs", m->spec->mounts[i].source, &plan, attrs_of(&plan) & ~(uint64_t)MOUNT_ATTR_RDONLY, oci_mount_label(m->spec),
                    err);
}

/* Read-only only at the end: other mounts, devices and copies may need a place in it. */
static int make_late(struct oci_mounts *m, int fd) {
  m->late[m->n_late] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (m->late[m->n_late] < 0) return -errno;
  m->n_late++;
  return 0;
}

static int mount_tmpfs(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  cleanup_fd int fd = -1;
  int r;
  if (has_key(plan, "mode") && !plan->copy_up) {
    fd = oci_fs_new("tmpfs", m->spec->mounts[i].source, plan, attrs_of(plan) & ~(uint64_t)MOUNT_ATTR_RDONLY, oci_mount_label(m->spec), err);
    r = fd < 0 ? fd : oci_target_attach(m, i, fd, true, false, err);
  } else {
    cleanup_fd int target = oci_target_open(m, i, true, err);
    if (target < 0) return target;
    fd = new_tmpfs(m, i, target, err);
    r = fd < 0 ? fd : plan->copy_up ? rootfs_copy_folder(target, fd, err) : 0;
    if (r == 0) r = oci_target_attach_to(m, i, fd, target, err);
  }
  if (r == 0 && attrs_of(plan) & MOUNT_ATTR_RDONLY && (r = make_late(m, fd)) < 0) err_set(err, -r, "mount", "%s", plan->path);
  if (r == 0) r = set_propagation(plan, fd, err);
  if (r == 0 && !strcmp(plan->path, "/dev")) keep_dev(m, &fd);
  return r;
}

static int mount_other(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  const struct oci_mount *mount = &m->spec->mounts[i];
  cleanup_fd int fd = oci_fs_new(mount->type, mount->source, plan, attrs_of(plan), oci_mount_label(m->spec), err);
  int r = fd < 0 ? fd : oci_target_attach(m, i, fd, true, false, err);
  if (r == 0) r = set_propagation(plan, fd, err);
  if (r == 0 && !strcmp(mount->type, "devpts") && !strcmp(plan->path, "/dev/pts")) keep(&fd, &m->devpts);
  if (r == 0 && !strcmp(plan->path, "/dev")) keep_dev(m, &fd);
  return r;
}

/* crun's option: a link of the host is made again instead of what it leads to being bound. */
static int copy_symlink(struct oci_mounts *m, size_t i, bool *ret_done, struct err *err) {
  const char *source = m->plans[i].source;
  cleanup_free char *path = strdup(m->plans[i].path);
  char target[PATH_MAX], old[PATH_MAX];
  const ssize_t n = readlink(source, target, sizeof target - 1);
  *ret_done = n >= 0;
  if (n < 0) return errno == EINVAL ? 0 : err_set(err, errno, "link", "%s", source);
  target[n] = 0;
  if (!path) return err_set(err, ENOMEM, "link", "%s", source);
  char *slash = strrchr(path, '/');
  *slash = 0;
  cleanup_fd int at = inroot_make_dir(m->root, path, 0755, INROOT);
  if (at < 0) return err_set(err, -at, "link", "%s", m->plans[i].path);
  if (symlinkat(target, at, slash + 1) == 0) return 0;
  const int code = errno;
  const ssize_t len = code == EEXIST ? readlinkat(at, slash + 1, old, sizeof old) : -1;
  return len == n && !memcmp(old, target, (size_t)n) ? 0 : err_set(err, code, "link", "%s", m->plans[i].path);
}

static int mount_bind(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  struct stat st;
  bool done = false;
  if (plan->copy_symlink) {
    int r = copy_symlink(m, i, &done, err);
    if (r < 0 || done) return r;
  }
  cleanup_fd int tree = oci_bind_tree(m, i, err);
  if (tree < 0) return tree;
  if (fstat(tree, &st) < 0) return err_set(err, errno, "bind", "%s", plan->path);
  int r = oci_target_attach(m, i, tree, S_ISDIR(st.st_mode), false, err);
  if (r == 0 && !strcmp(plan->path, "/dev")) {
    m->dev_is_hosts = true;
    if (m->dev >= 0) close(steal_fd(&m->dev));
  }
  return r;
}

/* mount(8)'s remount: what is there gets other options; those of the file system where some are given. */
static int remount(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  cleanup_fd int at = inroot_open(m->root, plan->path, O_PATH, INROOT);
  if (at < 0) return err_set(err, -at, "remount", "%s", plan->path);
  struct mount_attr attr = {.attr_set = plan->set, .attr_clr = plan->clear, .propagation = plan->propagation};
  if (mount_setattr(at, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0) return err_set(err, errno, "remount", "%s", plan->path);
  if (!plan->n_data || plan->bind) return 0;
  cleanup_fd int context = fspick(at, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
  if (context < 0) return err_set(err, errno, "remount", "%s", plan->path);
  for (size_t n = 0; n < plan->n_data; n++) {
    const struct mount_param *p = &plan->data[n];
    if (fsconfig(context, p->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, p->key, p->value, 0) < 0)
      return mountfd_fail(context, errno, "remount", plan->path, err);
  }
  return fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0 ? mountfd_fail(context, errno, "remount", plan->path, err) : 0;
}

static const struct {
  const char *type;
  int (*make)(struct oci_mounts *m, size_t i, struct err *err);
} kinds[] = {{"proc", mount_proc},   {"sysfs", mount_sysfs},       {"mqueue", mount_mqueue},
             {"tmpfs", mount_tmpfs}, {"cgroup", oci_cgroup_mount}, {"cgroup2", oci_cgroup_mount}};

int oci_mount_one(struct oci_mounts *m, size_t i, struct err *err) {
  const char *type = m->spec->mounts[i].type;
  if (m->plans[i].remount) return remount(m, i, err);
  if (m->plans[i].bind) return mount_bind(m, i, err);
  for (size_t k = 0; k < N_ELEMENTS(kinds); k++)
    if (!strcmp(type, kinds[k].type)) return kinds[k].make(m, i, err);
  return mount_other(m, i, err);
}
