/* linux.sysctl of an OCI configuration: only what belongs to namespaces of the container. See mounts_plan.h. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "lib/inroot.h"
#include "mounts_plan.h"

enum { PROC_MAGIC = 0x9fa0, KEY_MAX = 512 };

/* Which namespace a key belongs to; with a slash at the end, all below: ipc_namespaces(7), uts_namespaces(7), namespaces(7). */
static const struct {
  const char *key;
  enum oci_namespace ns;
} keys[] = {
    {"net/", OCI_NETWORK},
    {"user/", OCI_USER},
    {"fs/mqueue/", OCI_IPC},
    {"kernel/msgmax", OCI_IPC},
    {"kernel/msgmnb", OCI_IPC},
    {"kernel/msgmni", OCI_IPC},
    {"kernel/sem", OCI_IPC},
    {"kernel/shmall", OCI_IPC},
    {"kernel/shmmax", OCI_IPC},
    {"kernel/shmmni", OCI_IPC},
    {"kernel/auto_msgmni", OCI_IPC},
    {"kernel/msg_next_id", OCI_IPC},
    {"kernel/sem_next_id", OCI_IPC},
    {"kernel/shm_next_id", OCI_IPC},
    {"kernel/shm_rmid_forced", OCI_IPC},
    {"kernel/domainname", OCI_UTS},
    {"kernel/hostname", OCI_UTS},
};

/* Of "a.b/c.d" the first separator counts as one, and the other stands for a dot in a name (sysctl.d(5)):
 * "net.ipv4.conf.eth0/1.forwarding". */
static int to_path(const char *key, char path[KEY_MAX]) {
  const size_t len = strlen(key), first = strcspn(key, "./");
  if (!len || len >= KEY_MAX) return -EINVAL;
  const bool swap = key[first] == '.';
  for (size_t i = 0; i <= len; i++) path[i] = swap && key[i] == '.' ? '/' : swap && key[i] == '/' ? '.' : key[i];
  /* No way out of the folder that the table allows: "net/../kernel/panic". */
  for (const char *p = path;; p++) {
    const size_t part = strcspn(p, "/");
    if (!part || (part == 1 && *p == '.') || (part == 2 && !memcmp(p, "..", 2))) return -EINVAL;
    p += part;
    if (!*p) return 0;
  }
}

static bool fits(const char *path, const char *key) {
  const size_t len = strlen(key);
  return key[len - 1] == '/' ? !strncmp(path, key, len) && path[len] : !strcmp(path, key);
}

/* Listed with a path that leads to the runtime's own is no namespace of the container. */
static bool is_containers(const struct oci_spec *spec, enum oci_namespace ns) {
  static const char *const own[] = {[OCI_USER] = "/proc/self/ns/user",
                                    [OCI_NETWORK] = "/proc/self/ns/net",
                                    [OCI_IPC] = "/proc/self/ns/ipc",
                                    [OCI_UTS] = "/proc/self/ns/uts"};
  struct stat a, b;
  if (!spec->ns[ns].listed) return false;
  if (!spec->ns[ns].path) return true;
  return stat(own[ns], &a) == 0 && stat(spec->ns[ns].path, &b) == 0 && (a.st_dev != b.st_dev || a.st_ino != b.st_ino);
}

static int check_names(const struct oci_spec *spec, const char *path, const struct oci_pair *pair, struct err *err) {
  const char *field = !strcmp(path, "kernel/hostname") ? spec->hostname : !strcmp(path, "kernel/domainname") ? spec->domainname : NULL;
  return field && *field && strcmp(field, pair->value)
             ? err_set(err, 0, "sysctl", "%s contradicts the configuration's own field", pair->key)
             : 0;
}

int oci_sysctl_check(const struct oci_spec *spec, struct err *err) {
  for (size_t i = 0; i < spec->n_sysctl; i++) {
    char path[KEY_MAX];
    size_t n = 0;
    if (to_path(spec->sysctl[i].key, path) < 0) return err_set(err, 0, "sysctl", "%.200s: no such key", spec->sysctl[i].key);
    while (n < N_ELEMENTS(keys) && !fits(path, keys[n].key)) n++;
    if (n == N_ELEMENTS(keys)) return err_set(err, 0, "sysctl", "%s is not of a namespace", spec->sysctl[i].key);
    if (!is_containers(spec, keys[n].ns))
      return err_set(err, 0, "sysctl", "%s needs a %s namespace of the container's own", spec->sysctl[i].key,
                     oci_namespace_name(keys[n].ns));
    int r = check_names(spec, path, &spec->sysctl[i], err);
    if (r < 0) return r;
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

static int write_one(int proc, const char *path, const char *value, uint64_t resolve) {
  struct statfs fs;
  cleanup_free char *name = xformat("sys/%s", path);
  if (!name) return -ENOMEM;
  cleanup_fd int fd = inroot_open(proc, name, O_WRONLY, INROOT_BENEATH | RESOLVE_NO_SYMLINKS | resolve);
  if (fd < 0) return fd;
  if (fstatfs(fd, &fs) < 0) return -errno;
  return fs.f_type == PROC_MAGIC ? write_all(fd, value, strlen(value)) : -EXDEV;
}

/* The files of these two belong to the host's root, also in a user namespace; the system calls do not. */
static int set_one(int proc, const char *path, const char *value) {
  if (!strcmp(path, "kernel/hostname")) return sethostname(value, strlen(value)) < 0 ? -errno : 0;
  if (!strcmp(path, "kernel/domainname")) return setdomainname(value, strlen(value)) < 0 ? -errno : 0;
  int r = write_one(proc, path, value, RESOLVE_NO_XDEV);
  if (r != -EXDEV) return r;
  /* A bound /proc brings along what is mounted below (systemd-nspawn's /proc/sys/net). On the host's own nobody in a container mounts. */
  cleanup_fd int host = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return host < 0 ? -errno : write_one(host, path, value, 0);
}

int oci_sysctl_set(const struct oci_mounts *m, struct err *err) {
  const struct oci_spec *spec = m->spec;
  if (!spec->n_sysctl) return 0;
  bool borrowed;
  const int proc = open_proc(m, &borrowed);
  cleanup_fd int owned = borrowed ? -1 : proc;
  if (proc < 0) return err_set(err, -proc, "sysctl", "/proc");
  for (size_t i = 0; i < spec->n_sysctl; i++) {
    char path[KEY_MAX];
    int r = to_path(spec->sysctl[i].key, path);
    if (r == 0) r = set_one(proc, path, spec->sysctl[i].value);
    if (r == -EINVAL && !strcmp(path, "net/ipv4/ping_group_range"))
      return err_set(err, EINVAL, "sysctl", "%s=%s: are these groups mapped in the user namespace?", spec->sysctl[i].key,
                     spec->sysctl[i].value);
    if (r < 0) return err_set(err, -r, "sysctl", "%s=%s", spec->sysctl[i].key, spec->sysctl[i].value);
  }
  return 0;
}
