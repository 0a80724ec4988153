/*
 * podrt mount, podrt unmount: an image's layers as one folder, FOLDER/NAME, not to be written to, for whoever is in a mount namespace of
 * podrt unshare. FOLDER gets a tmpfs, so that no trace of a mount is left outside, or when that namespace goes.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/rootfs.h"
#include "verbs.h"

/* Below every image: overlay wants two layers, or one to write to. */
#define EMPTY ".empty"

struct options {
  const char *at, *name;
  bool lazy;
};

static const char usage_mount[] = "usage: podrt mount --at FOLDER --name NAME LAYER …\n";
static const char usage_unmount[] = "usage: podrt unmount --at FOLDER --name NAME [--lazy]\n";

/* Layers are what is left of argv. */
static int parse(int argc, char **argv, struct options *o) {
  enum { AT = 1, NAME, LAZY };
  static const struct option words[] = {
      {"at", required_argument, NULL, AT},
      {"name", required_argument, NULL, NAME},
      {"lazy", no_argument, NULL, LAZY},
      {0},
  };
  for (int c; (c = getopt_long(argc, argv, "", words, NULL)) != -1;) switch (c) {
      case AT:
        o->at = optarg;
        break;
      case NAME:
        o->name = optarg;
        break;
      case LAZY:
        o->lazy = true;
        break;
      default:
        return -EINVAL;
    }
  return o->at && o->name && *o->name && *o->name != '.' && !strchr(o->name, '/') ? 0 : -EINVAL;
}

/* A folder's own file system is not that of the folder above. */
static bool is_mounted(int dir, const char *name) {
  struct stat above, own;
  return fstat(dir, &above) == 0 && fstatat(dir, name, &own, AT_SYMLINK_NOFOLLOW) == 0 && above.st_dev != own.st_dev;
}

/* A descriptor of FOLDER, with a file system of ours on it. */
static int open_place(const char *at, struct err *err) {
  cleanup_fd int before = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (before < 0) return err_set(err, errno, "open", "%s", at);
  struct stat above, own;
  if (fstatat(before, "..", &above, 0) < 0 || fstat(before, &own) < 0) return err_set(err, errno, "open", "%s", at);
  if (above.st_dev == own.st_dev && mount("tmpfs", at, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700,size=1m") < 0)
    return err_set(err, errno, "mount", "%s", at);
  cleanup_fd int place = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return place < 0 ? err_set(err, errno, "open", "%s", at) : steal_fd(&place);
}

static int mount_image(const struct options *o, char **layers, size_t n, struct err *err) {
  cleanup_fd int place = open_place(o->at, err);
  if (place < 0) return place;
  if (is_mounted(place, o->name)) return 0;
  if (mkdirat(place, EMPTY, 0755) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", "%s/" EMPTY, o->at);
  if (mkdirat(place, o->name, 0755) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", "%s/%s", o->at, o->name);
  cleanup_free char *empty = xformat("%s/" EMPTY, o->at);
  cleanup_free char *path = xformat("%s/%s", o->at, o->name);
  cleanup_free const char **all = calloc(n + 1, sizeof *all);
  if (!empty || !path || !all) return err_set(err, ENOMEM, "mount", "%s", o->name);
  all[0] = empty;
  for (size_t i = 0; i < n; i++) all[i + 1] = layers[i];
  cleanup_fd int root = rootfs_view(all, n + 1, path, err);
  if (root >= 0) return 0;
  (void)unlinkat(place, o->name, AT_REMOVEDIR);
  return root;
}

static int unmount_image(const struct options *o, struct err *err) {
  cleanup_free char *path = xformat("%s/%s", o->at, o->name);
  if (!path) return err_set(err, ENOMEM, "unmount", "%s", o->name);
  if (umount2(path, UMOUNT_NOFOLLOW | (o->lazy ? MNT_DETACH : 0)) < 0) return err_set(err, errno, "unmount", "%s", path);
  return rmdir(path) < 0 ? err_set(err, errno, "rmdir", "%s", path) : 0;
}

int verb_mount(int argc, char **argv) {
  struct options o = {0};
  struct err err = {0};
  if (parse(argc, argv, &o) < 0 || o.lazy || optind == argc) {
    fputs(usage_mount, stderr);
    return 64;
  }
  if (mount_image(&o, argv + optind, (size_t)(argc - optind), &err) < 0) {
    err_print(&err, "mount");
    return 125;
  }
  return 0;
}

int verb_unmount(int argc, char **argv) {
  struct options o = {0};
  struct err err = {0};
  if (parse(argc, argv, &o) < 0 || optind != argc) {
    fputs(usage_unmount, stderr);
    return 64;
  }
  if (unmount_image(&o, &err) < 0) {
    err_print(&err, "unmount");
    return 125;
  }
  return 0;
}
