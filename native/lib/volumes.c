/* What is mounted into a container: see volumes.h. Here: the pod's files and the bundle's mounts. */
#include "volumes.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "inroot.h"
#include "lastwords.h"
#include "mountopt.h"
#include "poduserns.h"
#include "volgroup.h"

/* --- sources on the host --- */

static bool fits(enum source_type type, mode_t mode) {
  switch (type) {
    case SOURCE_ANY:
      return true;
    case SOURCE_DIRECTORY:
    case SOURCE_DIRECTORY_OR_CREATE:
      return S_ISDIR(mode);
    case SOURCE_FILE:
    case SOURCE_FILE_OR_CREATE:
      return S_ISREG(mode);
    case SOURCE_SOCKET:
      return S_ISSOCK(mode);
    case SOURCE_CHAR_DEVICE:
      return S_ISCHR(mode);
    case SOURCE_BLOCK_DEVICE:
      return S_ISBLK(mode);
  }
  return false;
}

static const char *plain_name(enum source_type type) {
  return type == SOURCE_DIRECTORY_OR_CREATE ? "Directory" : type == SOURCE_FILE_OR_CREATE ? "File" : mountopt_type_name(type);
}

struct folder_owner {
  const struct podids *ids;
  uint32_t uid, gid; /* as the pod has them */
  bool given;        /* it is not root of the user's own namespace, whose it is by itself */
};

/* On the host, links and all are the user's own business: resolve 0. */
static int make_host_folder(const char *path, mode_t mode, const struct folder_owner *owner) {
  cleanup_fd int slash = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (slash < 0) return -errno;
  cleanup_free char *parent = strdup(path);
  if (!parent) return -ENOMEM;
  size_t len = strlen(parent);
  while (len > 1 && parent[len - 1] == '/') parent[--len] = 0;
  char *name = strrchr(parent, '/');
  *name++ = 0;
  cleanup_fd int above = inroot_make_dir(slash, parent, 0755, 0);
  if (above < 0) return above;
  if (mkdirat(above, name, 0700) < 0) return errno == EEXIST ? 0 : -errno;
  int r = fchmodat(above, name, mode, 0) < 0 ? -errno : 0;
  const int64_t uid = podids_uid(owner->ids, owner->uid), gid = podids_gid(owner->ids, owner->gid);
  if (r == 0 && owner->given && (uid < 0 || gid < 0)) r = -ERANGE;
  if (r == 0 && owner->given && fchownat(above, name, (uid_t)uid, (gid_t)gid, AT_SYMLINK_NOFOLLOW) < 0) r = -errno;
  /* The next start is not to take it for one that was made as it should be. */
  if (r < 0) (void)unlinkat(above, name, AT_REMOVEDIR);
  return r;
}

static int make_source(const char *source, const struct mountopt *opt, const struct podids *ids) {
  static const struct podids users_ids = {0};
  static const struct folder_owner users = {.ids = &users_ids};
  const struct folder_owner owner = {.ids = ids, .uid = opt->uid, .gid = opt->gid, .given = ids->own || opt->owned};
  /* emptyDir and claims are for any user of the container, but for a claim that says whose it is; what the kubelet makes for hostPath
   * is 0755 and 0644. */
  if (opt->make_source) return make_host_folder(source, opt->owned ? 0755 : 0777, &owner);
  if (opt->type == SOURCE_DIRECTORY_OR_CREATE) return make_host_folder(source, 0755, &users);
  if (opt->type != SOURCE_FILE_OR_CREATE) return -ENOENT;
  cleanup_fd int fd = open(source, O_WRONLY | O_CREAT | O_EXCL | O_NOCTTY | O_CLOEXEC, 0644);
  return fd < 0 && errno != EEXIST ? -errno : 0;
}

static int open_sub_path(int source, const char *sub_path, struct err *err) {
  cleanup_fd int fd = inroot_open(source, sub_path, O_PATH, INROOT_BENEATH);
  if (fd == -ENOENT) fd = inroot_make_dir(source, sub_path, 0755, INROOT_BENEATH);
  if (fd == -EXDEV) return err_set(err, 0, "volume", "subPath %s leads out of the volume", sub_path);
  return fd < 0 ? err_set(err, -fd, "volume", "subPath %s", sub_path) : steal_fd(&fd);
}

int volume_source(const struct volumes *v, const char *source, const struct mountopt *opt, struct err *err) {
  const struct podids *ids = v->ids;
  cleanup_fd int fd = open(source, O_PATH | O_CLOEXEC);
  int r = fd < 0 ? -errno : 0;
  if (r == -ENOENT) {
    poduserns_act_as_user(ids);
    r = make_source(source, opt, ids);
    int back = poduserns_act_as_root(ids, err);
    if (back < 0) return back;
  }
  if (r == 0 && fd < 0) {
    fd = open(source, O_PATH | O_CLOEXEC);
    r = fd < 0 ? -errno : 0;
  }
  if (r == -ENOENT && opt->type != SOURCE_ANY) return err_set(err, 0, "volume", "hostPath %s does not exist", source);
  if (r < 0) return err_set(err, -r, "volume", "%s", source);
  struct stat st;
  if (fstat(fd, &st) < 0) return err_set(err, errno, "volume", "%s", source);
  if (!fits(opt->type, st.st_mode)) return err_set(err, 0, "volume", "hostPath %s is not a %s", source, plain_name(opt->type));
  if ((r = volgroup_mount(fd, source, opt, ids, v->infra_dir, err)) < 0) return r;
  return opt->sub_path ? open_sub_path(fd, opt->sub_path, err) : steal_fd(&fd);
}

/* --- mounts --- */

/* Attaches a detached mount of `source`'s kind at a path of the container. */
static int attach(int root, int mount, const char *destination, bool folder, struct err *err) {
  cleanup_fd int target = inroot_make_target(root, destination, folder);
  int r = target < 0 ? target : mountfd_attach(mount, target);
  return r < 0 ? err_set(err, -r, "mount", "%s", destination) : 0;
}

static int bind_to(int root, int source, const char *destination, const struct mountopt *opt, struct err *err) {
  struct stat st;
  cleanup_fd int tree = fstat(source, &st) < 0 ? -errno : mountfd_clone(source, "", opt->recursive);
  int r = tree < 0 ? tree : mountfd_set(tree, opt->recursive_attrs, opt->propagation, true);
  if (r == 0 && opt->attrs) r = mountfd_set(tree, opt->attrs, 0, false);
  if (r < 0) return err_set(err, -r, "bind", "%s", destination);
  return attach(root, tree, destination, S_ISDIR(st.st_mode), err);
}

int volumes_etc(const struct volumes *v, struct err *err) {
  static const struct {
    const char *name, *destination;
  } files[] = {{"hosts", "/etc/hosts"}, {"resolv.conf", "/etc/resolv.conf"}, {"hostname", "/etc/hostname"}};
  static const struct mountopt opt = {.attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, .propagation = MS_PRIVATE};
  for (size_t i = 0; v->infra_dir >= 0 && i < N_ELEMENTS(files); i++) {
    cleanup_fd int source = openat(v->infra_dir, files[i].name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (source < 0 && errno == ENOENT) continue;
    if (source < 0) return err_set(err, errno, "open", "infra's %s", files[i].name);
    int r = bind_to(v->root, source, files[i].destination, &opt, err);
    if (r < 0) return r;
  }
  return 0;
}

int volumes_last_words(const struct volumes *v, const struct bundle *b, struct err *err) {
  static const struct mountopt opt = {.attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, .propagation = MS_PRIVATE};
  if (!b->has_layers) return 0;
  cleanup_free char *path = xformat("%s/" LASTWORDS_FILE, b->rootfs.upper);
  cleanup_fd int source = path ? open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1;
  if (source < 0) return err_set(err, path ? errno : ENOMEM, "open", LASTWORDS_FILE);
  return bind_to(v->root, source, b->message_path, &opt, err);
}

static int mount_tmpfs(int root, const struct bundle_mount *m, struct err *err) {
  struct mountopt opt;
  int r = mountopt_parse(m->options, true, &opt, err);
  if (r < 0) return r;
  cleanup_fd int fd = mountfd_new("tmpfs", opt.data, opt.n_data, (unsigned)(opt.attrs | opt.recursive_attrs), err);
  r = fd < 0 ? fd : attach(root, fd, m->destination, true, err);
  mountopt_free(&opt);
  return r;
}

static int mount_bind(const struct volumes *v, const struct bundle_mount *m, struct err *err) {
  struct mountopt opt;
  int r = mountopt_parse(m->options, false, &opt, err);
  if (r < 0) return r;
  cleanup_fd int source = volume_source(v, m->source, &opt, err);
  r = source < 0 ? source : bind_to(v->root, source, m->destination, &opt, err);
  mountopt_free(&opt);
  return r;
}

/* What other writers of bundles list and kernelfs.c makes anyway. */
static const struct {
  const char *type, *destination;
} standard[] = {{"proc", "/proc"},
                {"sysfs", "/sys"},
                {"tmpfs", "/dev"},
                {"devpts", "/dev/pts"},
                {"mqueue", "/dev/mqueue"},
                {"tmpfs", "/dev/shm"},
                {"cgroup", "/sys/fs/cgroup"},
                {"cgroup2", "/sys/fs/cgroup"}};

static int mount_one(const struct volumes *v, const struct bundle *b, const struct bundle_mount *m, struct err *err) {
  for (size_t i = 0; i < N_ELEMENTS(standard); i++)
    if (!strcmp(m->type, standard[i].type) && !strcmp(m->destination, standard[i].destination)) return 0;
  if (!strcmp(m->type, "bind")) return mount_bind(v, m, err);
  if (!strcmp(m->type, "x-podgen.image")) return volume_image(v, b, m, err);
  if (!strcmp(m->type, "tmpfs")) return mount_tmpfs(v->root, m, err);
  return err_set(err, 0, "mount", "%s: type %s is not supported there", m->destination, m->type);
}

int volumes_mount(const struct volumes *v, const struct bundle *b, struct err *err) {
  size_t m = 0, f = 0;
  while (m < b->n_mounts || f < b->n_files) {
    /* Each list keeps its own order; merged, so that a mount below a folder of files is not covered by it, nor the other way round. */
    bool files = f < b->n_files && (m == b->n_mounts || bundle_compare_paths(b->files[f].destination, b->mounts[m].destination) < 0);
    int r = files ? volume_files(v, &b->files[f++], err) : mount_one(v, b, &b->mounts[m++], err);
    if (r < 0) return r;
  }
  return 0;
}
