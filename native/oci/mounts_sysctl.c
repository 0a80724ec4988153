/* linux.sysctl of an OCI configuration: only what belongs to namespaces of the container. See mounts_plan.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "lib/inroot.h"
#include "mounts_plan.h"

enum { PROC_MAGIC = 0x9fa0 };

/* Of a key that was allowed when the configuration was read (spec_sysctl.c): "net/ipv4/ip_forward". */
static enum oci_namespace namespace_of(const char *key) {
  return !strncmp(key, "net/", 4)            ? OCI_NETWORK
         : !strncmp(key, "user/", 5)         ? OCI_USER
         : !strcmp(key, "kernel/domainname") ? OCI_UTS
                                             : OCI_IPC;
}

/* A path can lead to the namespace that we are in ourselves, which is the host's. */
static bool is_ours(const char *path, enum oci_namespace ns) {
  static const char *const own[] = {[OCI_USER] = "/proc/self/ns/user",
                                    [OCI_NETWORK] = "/proc/self/ns/net",
                                    [OCI_IPC] = "/proc/self/ns/ipc",
                                    [OCI_UTS] = "/proc/self/ns/uts"};
  struct stat a, b;
  return stat(own[ns], &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int oci_sysctl_check(const struct oci_spec *spec, struct err *err) {
  for (size_t i = 0; i < spec->n_sysctl; i++) {
    const struct oci_pair *pair = &spec->sysctl[i];
    const enum oci_namespace ns = namespace_of(pair->key);
    if (spec->ns[ns].path && is_ours(spec->ns[ns].path, ns))
      return err_set(err, 0, "sysctl", "%s: the container's %s namespace is the host's", pair->key, oci_namespace_name(ns));
    if (ns == OCI_UTS && spec->domainname && *spec->domainname && strcmp(spec->domainname, pair->value))
      return err_set(err, 0, "sysctl", "%s: domainname says otherwise", pair->key);
  }
  return 0;
}

/*
 * The kernel's own proc and nothing that was mounted over it (CVE-2025-52881): the container's, when it is new and writable, else one that
 * nobody else has, else the host's, which the checks below must hold for.
 */
static int open_proc(const struct oci_mounts *m, bool *ret_borrowed) {
  static const struct oci_mount_plan plain = {0};
  struct err ignored;
  struct statfs fs;
  *ret_borrowed = m->proc >= 0 && fstatfs(m->proc, &fs) == 0 && !(fs.f_flags & ST_RDONLY);
  if (*ret_borrowed) return m->proc;
  const int fd = oci_fs_new("proc", "proc", &plain, 0, NULL, &ignored);
  if (fd >= 0) return fd;
  const int host = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return host < 0 ? -errno : host;
}

static int write_one(int proc, const char *path, const char *value) {
  struct statfs fs;
  cleanup_free char *name = xformat("sys/%s", path);
  if (!name) return -ENOMEM;
  cleanup_fd int fd = inroot_open(proc, name, O_WRONLY, INROOT_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  if (fd < 0) return fd;
  if (fstatfs(fd, &fs) < 0) return -errno;
  return fs.f_type == PROC_MAGIC ? write_all(fd, value, strlen(value)) : -EXDEV;
}

/* This one's file belongs to the host's root, also in a user namespace; the system call does not. */
static int set_one(int proc, const char *path, const char *value) {
  if (!strcmp(path, "kernel/domainname")) return setdomainname(value, strlen(value)) < 0 ? -errno : 0;
  return write_one(proc, path, value);
}

int oci_sysctl_set(const struct oci_mounts *m, struct err *err) {
  const struct oci_spec *spec = m->spec;
  if (!spec->n_sysctl) return 0;
  bool borrowed;
  const int proc = open_proc(m, &borrowed);
  cleanup_fd int owned = borrowed ? -1 : proc;
  if (proc < 0) return err_set(err, -proc, "sysctl", "/proc");
  for (size_t i = 0; i < spec->n_sysctl; i++) {
    const struct oci_pair *pair = &spec->sysctl[i];
    int r = set_one(proc, pair->key, pair->value);
    if (r == -EINVAL && !strcmp(pair->key, "net/ipv4/ping_group_range"))
      return err_set(err, EINVAL, "sysctl", "%s=%s: are these groups mapped in the user namespace?", pair->key, pair->value);
    if (r < 0) return err_set(err, -r, "sysctl", "%s=%s", pair->key, pair->value);
  }
  return 0;
}
