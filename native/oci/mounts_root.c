/* The root of an OCI container: bound, entered by pivot_root(2) or by moving it. See mounts_plan.h. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/rootfs.h"
#include "mounts_plan.h"

bool oci_own_mounts(const struct oci_spec *spec) {
  return spec->ns[OCI_MOUNT].listed;
}

static const struct {
  const char *name;
  uint64_t value;
  bool recursive;
} propagations[] = {{"shared", MS_SHARED, false},         {"rshared", MS_SHARED, true},        {"slave", MS_SLAVE, false},
                    {"rslave", MS_SLAVE, true},           {"private", MS_PRIVATE, false},      {"rprivate", MS_PRIVATE, true},
                    {"unbindable", MS_UNBINDABLE, false}, {"runbindable", MS_UNBINDABLE, true}};

static uint64_t root_propagation(const struct oci_spec *spec, bool *ret_recursive) {
  for (size_t i = 0; spec->rootfs_propagation && i < N_ELEMENTS(propagations); i++)
    if (!strcmp(spec->rootfs_propagation, propagations[i].name)) {
      *ret_recursive = propagations[i].recursive;
      return propagations[i].value;
    }
  *ret_recursive = true;
  return MS_PRIVATE;
}

/* Where the host's mount namespace is not left there can be no mounts for the container alone; its root is then by chroot(2) alone. */
static int open_root(struct oci_mounts *m, struct err *err) {
  const struct oci_spec *spec = m->spec;
  if (spec->n_mounts || spec->root_read_only || (spec->masked && spec->masked[0]) || (spec->read_only && spec->read_only[0]))
    return err_set(err, 0, "mount namespace", "mounts, masked and read-only paths need one that is new");
  m->root = open(m->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return m->root < 0 ? err_set(err, errno, "root", "%s", m->root_path) : 0;
}

/*
 * At its own path, where hooks look for it; over "/" where the container's root cannot walk there. The root is a slave at most while it is
 * being made: of what is mounted below, the host gets to know nothing.
 */
static int attach_root(struct oci_mounts *m, int tree) {
  const char *path = m->root_path;
  if (move_mount(tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0) return 0;
  if (errno == ENAMETOOLONG || errno == EACCES || errno == ENOENT) return mountfd_attach_at(tree, AT_FDCWD, "/");
  return -errno;
}

int oci_root_make(struct oci_mounts *m, struct err *err) {
  const struct oci_spec *spec = m->spec;
  if (!oci_own_mounts(spec)) return open_root(m, err);
  /* A new user namespace has the host's mounts as slaves (mount_namespaces(7)); else neither pivot_root nor what we do may reach the host.
   */
  if (!m->new_userns && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) return err_set(err, errno, "propagation", "/");
  cleanup_fd int tree = oci_host_clone(m->root_path, true, false);
  if (tree < 0 && m->prepared_root >= 0) tree = steal_fd(&m->prepared_root);
  if (tree < 0) return err_set(err, -tree, "root", "%s", m->root_path);
  struct stat st;
  if (fstat(tree, &st) < 0 || !S_ISDIR(st.st_mode)) return err_set(err, ENOTDIR, "root", "%s", m->root_path);
  bool recursive;
  const uint64_t wanted = root_propagation(spec, &recursive);
  int r = mountfd_set(tree, 0, wanted == MS_SLAVE ? MS_SLAVE : MS_PRIVATE, true);
  if (r == 0) r = attach_root(m, tree);
  if (r < 0) return err_set(err, -r, "root", "%s", m->root_path);
  m->root = steal_fd(&tree);
  return 0;
}

/* --- without pivot_root --- */

/* Takes the octal escapes of /proc/self/mountinfo back. */
static void unescape(char *text) {
  char *out = text;
  for (const char *p = text; *p;) {
    unsigned code;
    if (*p == '\\' && sscanf(p + 1, "%3o", &code) == 1) {
      *out++ = (char)code;
      p += 4;
    } else {
      *out++ = *p++;
    }
  }
  *out = 0;
}

/* Out of the way, or covered where it may not be taken away. What is gone already, with what it was below of, is no matter. */
static int hide(const char *path) {
  if (umount2(path, MNT_DETACH) == 0 || errno == ENOENT) return 0;
  return mount("tmpfs", path, "tmpfs", MS_RDONLY, "nr_inodes=1") < 0 && errno != ENOENT ? -errno : 0;
}

static bool is_below(const char *path, const char *folder) {
  const size_t len = strlen(folder);
  return !strncmp(path, folder, len) && (path[len] == '/' || !path[len]);
}

/*
 * chroot(2) leaves the host's mounts in the namespace. While a whole proc or sysfs is among them, a user namespace may mount new ones,
 * which no mask covers (mount_namespaces(7); runc's finding about --no-pivot).
 */
static int hide_kernel_fs(const char *root, struct err *err) {
  cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
  if (!f) return err_set(err, errno, "root", "/proc/self/mountinfo");
  cleanup_free char *line = NULL;
  size_t room = 0;
  for (int r; getline(&line, &room, f) > 0;) {
    char *words[5], *save, *p = line;
    size_t n = 0;
    for (char *word; n < N_ELEMENTS(words) && (word = strtok_r(p, " ", &save)); p = NULL) words[n++] = word;
    const char *type = n == N_ELEMENTS(words) ? strstr(save, "- ") : NULL;
    if (!type || strcmp(words[3], "/") || (strncmp(type, "- proc ", 7) && strncmp(type, "- sysfs ", 8))) continue;
    unescape(words[4]);
    if (is_below(words[4], root)) continue;
    if ((r = hide(words[4])) < 0) return err_set(err, -r, "root", "hide %s", words[4]);
  }
  return 0;
}

static int move_root(struct oci_mounts *m, struct err *err) {
  char link[48], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", m->root);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 2) return err_set(err, n < 0 ? errno : EACCES, "root", "where it is, for --no-pivot");
  path[n] = 0;
  int r = hide_kernel_fs(path, err);
  if (r < 0) return r;
  r = mountfd_attach_at(m->root, AT_FDCWD, "/");
  return r < 0 ? err_set(err, -r, "root", "move it") : 0;
}

static int change_root(int root, struct err *err) {
  if (fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0) return err_set(err, errno, "chroot", "the root file system");
  return 0;
}

int oci_root_enter(struct oci_mounts *m, struct err *err) {
  if (!oci_own_mounts(m->spec)) return change_root(m->root, err);
  int r = m->no_pivot ? move_root(m, err) : rootfs_pivot(m->root, err);
  if (r == 0 && m->no_pivot) r = change_root(m->root, err);
  if (r < 0) return r;
  bool recursive;
  const uint64_t wanted = root_propagation(m->spec, &recursive);
  /* Shared among the container's own namespaces; unbindable only now that nothing is to be bound any more. */
  r = wanted == MS_SHARED || wanted == MS_UNBINDABLE ? mountfd_set(m->root, 0, wanted, recursive) : 0;
  for (size_t i = 0; r == 0 && i < m->n_late; i++) r = mountfd_set(m->late[i], MOUNT_ATTR_RDONLY, 0, false);
  if (r == 0 && m->spec->root_read_only) r = mountfd_set(m->root, MOUNT_ATTR_RDONLY, 0, false);
  return r < 0 ? err_set(err, -r, "root", "propagation, read-only") : 0;
}
