/* io.podgen.files: files of the host copied into a tmpfs of the container, chiefly secrets (UNITS.md 15). See volumes.h. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "inroot.h"
#include "mountfd.h"
#include "volgroup.h"
#include "volumes.h"

enum { FILE_MAX_BYTES = 4 * 1024 * 1024 };

static int write_item(int fs, const struct bundle_item *item, const struct volgroup *group, struct err *err) {
  cleanup_free char *bytes = NULL;
  size_t len;
  int r = read_file_at(AT_FDCWD, item->source, FILE_MAX_BYTES, &bytes, &len);
  if (r < 0) return err_set(err, -r, "file", "%s from %s", item->path, item->source);
  cleanup_free char *parent = strdup(item->path);
  if (!parent) return err_set(err, ENOMEM, "file", "%s", item->path);
  char *slash = strrchr(parent, '/');
  if (slash) *slash = 0;
  cleanup_fd int dir = inroot_make_dir(fs, slash ? parent : ".", 0755, INROOT_BENEATH);
  cleanup_fd int fd =
      dir < 0 ? dir : openat(dir, slash ? slash + 1 : item->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  r = dir < 0 ? dir : fd < 0 ? -errno : write_all(fd, bytes, len);
  explicit_bzero(bytes, len);
  /* Which group it has it has from its folder. */
  if (r == 0 && fchmod(fd, group ? volgroup_mode(group, item->mode) : item->mode) < 0) r = -errno;
  return r < 0 ? err_set(err, -r, "file", "%s", item->path) : 0;
}

static int attach(int root, int mount, const char *destination, bool folder, struct err *err) {
  cleanup_fd int target = inroot_make_target(root, destination, folder);
  int r = target < 0 ? target : mountfd_attach(mount, target);
  return r < 0 ? err_set(err, -r, "mount", "%s", destination) : 0;
}

/*
 * Only a part: a clone of it. Mounts that were never attached cannot be cloned before Linux 6.15, so that the whole is attached
 * first, over the container's run folder: in this mount namespace only, and gone with the host's file systems at the pivot.
 */
static int attach_part(const struct volumes *v, int fs, const struct bundle_files *files, struct err *err) {
  int r = mountfd_attach(fs, v->run_dir);
  if (r < 0) return err_set(err, -r, "mount", "%s", files->destination);
  cleanup_fd int part = inroot_open(fs, files->sub_path, O_PATH | O_NOFOLLOW, INROOT_BENEATH);
  struct stat st;
  if (part < 0 || fstat(part, &st) < 0) return err_set(err, part < 0 ? -part : errno, "files", "subPath %s", files->sub_path);
  cleanup_fd int clone = mountfd_clone(part, "", true);
  if (clone < 0) return err_set(err, -clone, "files", "subPath %s", files->sub_path);
  return attach(v->root, clone, files->destination, S_ISDIR(st.st_mode), err);
}

int volume_files(const struct volumes *v, const struct bundle_files *files, struct err *err) {
  char gid[24];
  const int64_t owner = files->group < 0 ? 0 : podids_gid(v->ids, files->group);
  if (owner < 0) return err_set(err, 0, "fsGroup", "%lld: the pod's user namespace has no such id", (long long)files->group);
  const struct volgroup group = {.gid = (gid_t)owner, .read_only = true};
  snprintf(gid, sizeof gid, "%lld", (long long)owner);
  const struct mount_param params[] = {{"mode", files->group < 0 ? "0755" : "2755"}, {"gid", gid}};
  const unsigned attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  cleanup_fd int fs = mountfd_new("tmpfs", params, files->group < 0 ? 1 : 2, attrs, err);
  if (fs < 0) return fs;
  for (size_t i = 0; i < files->n_items; i++) {
    int r = write_item(fs, &files->items[i], files->group < 0 ? NULL : &group, err);
    if (r < 0) return r;
  }
  /* Clones inherit it. */
  int r = files->read_only ? mountfd_set(fs, MOUNT_ATTR_RDONLY, 0, false) : 0;
  if (r < 0) return err_set(err, -r, "mount", "%s", files->destination);
  return files->sub_path ? attach_part(v, fs, files, err) : attach(v->root, fs, files->destination, true, err);
}
