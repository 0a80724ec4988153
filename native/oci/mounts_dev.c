/* Devices of an OCI container, and the links of /dev: see mounts_plan.h and runtime-spec config-linux.md, "Default Devices". */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "lib/inroot.h"
#include "mounts_plan.h"

static const struct oci_device defaults[] = {
    {.path = "/dev/null", .type = S_IFCHR, .major = 1, .minor = 3, .mode = 0666},
    {.path = "/dev/zero", .type = S_IFCHR, .major = 1, .minor = 5, .mode = 0666},
    {.path = "/dev/full", .type = S_IFCHR, .major = 1, .minor = 7, .mode = 0666},
    {.path = "/dev/random", .type = S_IFCHR, .major = 1, .minor = 8, .mode = 0666},
    {.path = "/dev/urandom", .type = S_IFCHR, .major = 1, .minor = 9, .mode = 0666},
    {.path = "/dev/tty", .type = S_IFCHR, .major = 5, .minor = 0, .mode = 0666},
};

/* `instead`: of whatever the image has there. */
static const struct {
  const char *name, *target;
  bool instead;
} links[] = {{"fd", "/proc/self/fd", false},       {"stdin", "/proc/self/fd/0", false}, {"stdout", "/proc/self/fd/1", false},
             {"stderr", "/proc/self/fd/2", false}, {"core", "/proc/kcore", false},      {"ptmx", "pts/ptmx", true}};

static bool is_device(const struct stat *st, const struct oci_device *d) {
  return (st->st_mode & S_IFMT) == d->type && (d->type == S_IFIFO || st->st_rdev == makedev(d->major, d->minor));
}

/* Root's already; only of what it is meant to be, should somebody have put something else there. */
static int set_owner(int at, const char *name, const struct oci_device *d) {
  struct stat st;
  if (!d->uid && !d->gid) return 0;
  cleanup_fd int fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) < 0) return -errno;
  if (!is_device(&st, d)) return -EEXIST;
  return fchownat(fd, "", d->uid, d->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* The host's node over an empty file. Links of the container are not followed: they would be covered. */
static int bind_device(const struct oci_mounts *m, int at, const char *name, const struct oci_device *d) {
  struct stat st;
  cleanup_fd int tree = open_tree(AT_FDCWD, d->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
  if (tree < 0 || fstat(tree, &st) < 0) return -errno;
  if (!is_device(&st, d)) return -ENODEV;
  /* Those of a new /dev are made private all at once. */
  int r = at == m->dev ? 0 : mountfd_set(tree, 0, MS_PRIVATE, false);
  return r < 0 ? r : mountfd_attach_at(tree, at, name);
}

/* `is_default`: what an image has in its place is covered; for others that is an error (config-linux.md, "Devices"). */
static int make_device(struct oci_mounts *m, int at, const char *name, const struct oci_device *d, bool is_default) {
  struct stat st;
  if (!m->binds_devices || d->type == S_IFIFO) {
    if (mknodat(at, name, d->type | (d->mode & 07777), makedev(d->major, d->minor)) == 0) return set_owner(at, name, d);
    /* mknod(2) makes no devices in a user namespace, nor without CAP_MKNOD. */
    if (errno != EEXIST && (errno != EPERM || d->type == S_IFIFO)) return -errno;
    if (errno == EPERM) m->binds_devices = true;
  }
  if (mknodat(at, name, S_IFREG | 0666, 0) < 0) {
    if (errno != EEXIST || fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    if (is_device(&st, d)) return 0;
    if (!is_default) return -EEXIST;
  }
  return bind_device(m, at, name, d);
}

static int make_default(struct oci_mounts *m, int dev, size_t i, struct err *err) {
  int r = make_device(m, dev, defaults[i].path + 5, &defaults[i], true);
  return r < 0 ? err_set(err, -r, "device", "%s", defaults[i].path) : 0;
}

static bool is_in_dev(const char *path) {
  return !strncmp(path, "/dev/", 5);
}

/* linux.devices, which may name a default one too: its owner and mode are then as it says. */
static int make_listed(struct oci_mounts *m, int dev, const struct oci_device *d, struct err *err) {
  cleanup_free char *path = oci_path_clean(d->path);
  if (!path) return err_set(err, ENOMEM, "device", "%s", d->path);
  char *slash = strrchr(path, '/');
  const bool in_dev = is_in_dev(path);
  if (!slash[1]) return err_set(err, 0, "device", "%s: no name", d->path);
  /* The host's /dev has what it has; and the link to the container's own terminals is no device. */
  if ((in_dev && m->dev_is_hosts) || !strcmp(path, "/dev/ptmx")) return 0;
  cleanup_fd int made = -1;
  int at = dev;
  if (!in_dev || slash != path + 4) {
    *slash = 0;
    at = made = inroot_make_dir(m->root, path, 0755, INROOT);
  }
  int r = at < 0 ? at : make_device(m, at, slash + 1, d, false);
  if (r == -EEXIST) return err_set(err, 0, "device", "%s: something else is there", d->path);
  return r < 0 ? err_set(err, -r, "device", "%s", d->path) : 0;
}

static int make_link(int dev, size_t i, struct err *err) {
  for (int tries = 0; tries < 2; tries++) {
    if (symlinkat(links[i].target, dev, links[i].name) == 0) return 0;
    if (errno != EEXIST) break;
    if (!links[i].instead || unlinkat(dev, links[i].name, 0) < 0) return 0; /* a mount is there, on purpose */
  }
  return err_set(err, errno, "link", "/dev/%s", links[i].name);
}

int oci_devices_make(struct oci_mounts *m, struct err *err) {
  const struct oci_spec *spec = m->spec;
  cleanup_fd int opened = m->dev >= 0 || m->dev_is_hosts ? -1 : inroot_make_dir(m->root, "/dev", 0755, INROOT);
  const int dev = m->dev >= 0 ? m->dev : opened;
  if (dev < 0 && !m->dev_is_hosts) return err_set(err, -dev, "device", "/dev");
  int r = 0;
  for (size_t i = 0; r == 0 && i < spec->n_devices; i++) r = make_listed(m, dev, &spec->devices[i], err);
  if (m->dev_is_hosts) return r;
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(defaults); i++) r = make_default(m, dev, i, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(links); i++) r = make_link(dev, i, err);
  /* All bound devices at once: the host is not to put anything over them later. */
  if (r == 0 && m->dev >= 0 && m->binds_devices && (r = mountfd_set(dev, 0, MS_PRIVATE, true)) < 0) err_set(err, -r, "device", "/dev");
  return r;
}

int oci_mounts_console(struct oci_mounts *m, int slave, struct err *err) {
  cleanup_fd int opened = m->dev >= 0 ? -1 : inroot_open(m->root, "/dev", O_PATH | O_DIRECTORY, INROOT);
  const int dev = m->dev >= 0 ? m->dev : opened;
  cleanup_fd int clone = mountfd_clone(slave, "", false);
  int r = dev < 0 ? dev : clone < 0 ? clone : 0;
  if (r == 0 && mknodat(dev, "console", S_IFREG | 0600, 0) < 0 && errno != EEXIST) r = -errno;
  if (r == 0) r = mountfd_attach_at(clone, dev, "console");
  return r < 0 ? err_set(err, -r, "terminal", "/dev/console") : 0;
}
