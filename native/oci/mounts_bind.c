/* Bind mounts of an OCI container: sources on the host, before and after the namespaces. See mounts_plan.h. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "mounts_plan.h"

/* Part by part, for paths that are longer than a system call takes. Symlinks are followed: the host's are the caller's own business. */
static int open_long(const char *path) {
  cleanup_fd int at = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (const char *p = path; at >= 0 && *(p += strspn(p, "/"));) {
    char name[NAME_MAX + 1];
    const size_t len = strcspn(p, "/");
    if (len > NAME_MAX) return -ENAMETOOLONG;
    memcpy(name, p, len);
    name[len] = 0;
    const int next = openat(at, name, O_PATH | O_CLOEXEC);
    const int code = errno;
    close(at);
    at = next;
    errno = code;
    p += len;
  }
  return at < 0 ? -errno : steal_fd(&at);
}

int oci_host_clone(const char *path, bool recursive, bool nofollow) {
  const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0) | (nofollow ? AT_SYMLINK_NOFOLLOW : 0);
  int fd = open_tree(AT_FDCWD, path, flags);
  if (fd >= 0) return fd;
  if (errno == ENAMETOOLONG && strlen(path) >= PATH_MAX) {
    cleanup_fd int source = open_long(path);
    return source < 0 ? source : mountfd_clone(source, "", recursive);
  }
  /* What came from outside the user namespace must not be uncovered: all below come along. */
  if (errno == EINVAL && !recursive) fd = open_tree(AT_FDCWD, path, flags | AT_RECURSIVE);
  return fd < 0 ? -errno : fd;
}

/*
 * Whether root of the container's user namespace sees files as we do. It does where it is the same user, who had no more rights than any
 * other before; root of the host, or of the namespace around, loses those over all files of ids that are not mapped.
 */
static bool child_sees_all(const struct oci_mounts *m) {
  const struct oci_spec *spec = m->spec;
  if (!m->new_userns) return true;
  if (geteuid() == 0) return false;
  for (size_t i = 0; i < spec->n_uid_map; i++)
    if (spec->uid_map[i].inside == 0) return spec->uid_map[i].outside == geteuid();
  return false;
}

void oci_root_prepare(struct oci_mounts *m) {
  if (!child_sees_all(m)) m->prepared_root = oci_host_clone(m->root_path, true, false);
}

/* A clone made in the child is a slave of the host's mount and cannot become its peer again; a user namespace may not be one. */
static bool is_peer(const struct oci_mounts *m, const struct oci_mount_plan *plan) {
  return plan->bind && !plan->remount && plan->propagation == MS_SHARED && !m->new_userns;
}

int oci_mounts_clone(const struct oci_mounts *m, size_t i) {
  if (i >= m->spec->n_mounts || !is_peer(m, &m->plans[i])) return -EINVAL;
  return oci_host_clone(m->plans[i].source, m->plans[i].recursive, m->plans[i].source_nofollow);
}

int oci_bind_prepare(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  if (!plan->bind || plan->remount) return plan->id_mapped ? err_set(err, 0, "mount", "%s: idmap is for bind mounts", plan->path) : 0;
  const bool now = is_peer(m, plan) ? !m->asks : !child_sees_all(m);
  if (!plan->id_mapped && !now) return 0;
  if (plan->copy_symlink) return 0;
  const int fd = oci_host_clone(plan->source, plan->recursive, plan->source_nofollow);
  if (fd >= 0) m->prepared[i] = fd;
  if (!plan->id_mapped) return 0;
  return fd < 0 ? err_set(err, -fd, "bind", "%s", plan->source) : oci_idmap_apply(m, i, fd, err);
}

/* Nothing but the kernel's own may be at /proc, where programs look for the truth (CVE-2019-16884). */
static int check_proc(const struct oci_mount_plan *plan, int tree, struct err *err) {
  struct statfs fs;
  if (strcmp(plan->path, "/proc")) return 0;
  if (fstatfs(tree, &fs) < 0) return err_set(err, errno, "bind", "/proc");
  return fs.f_type == 0x9fa0 /* PROC_SUPER_MAGIC */ ? 0 : err_set(err, 0, "bind", "/proc: the source is not of type proc");
}

int oci_bind_tree(struct oci_mounts *m, size_t i, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  const char *source = plan->source;
  cleanup_fd int fd = -1;
  if ((plan->id_mapped || is_peer(m, plan)) && m->prepared[i] >= 0)
    fd = steal_fd(&m->prepared[i]);
  else if (is_peer(m, plan) && m->ask)
    fd = m->ask(m->who, i);
  /* Its own clone, where it can have one, is bound to the host's restrictions for good. */
  if (fd < 0) fd = oci_host_clone(source, plan->recursive, plan->source_nofollow);
  if (fd < 0 && m->prepared[i] >= 0) fd = steal_fd(&m->prepared[i]);
  if (fd < 0) return err_set(err, -fd, "bind", "%s", source);
  int r = check_proc(plan, fd, err);
  if (r < 0) return r;
  r = oci_plan_apply(plan, fd);
  return r < 0 ? err_set(err, -r, "bind", "%s: options", plan->path) : steal_fd(&fd);
}
