/* io.podgen.files: files of the host copied into a tmpfs of the container, chiefly secrets (UNITS.md 15). See volumes.h. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "inroot.h"
#include "livefiles.h"
#include "mountfd.h"
#include "volumes.h"

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

/* All as it is to be, in a fresh tmpfs. */
static int fill(int fs, const struct bundle_files *files, struct err *err) {
  struct livefiles content;
  int r = livefiles_load(files, &content, err);
  if (r < 0) return r;
  if (files->live)
    r = livefiles_put(fs, &content, err);
  else
    for (size_t i = 0; r == 0 && i < files->n_items; i++) r = livefiles_write(fs, &content, i, err);
  livefiles_free(&content);
  return r;
}

int volume_files(const struct volumes *v, const struct bundle_files *files, struct err *err) {
  char gid[24];
  const int64_t owner = files->group < 0 ? 0 : podids_gid(v->ids, files->group);
  if (owner < 0) return err_set(err, 0, "fsGroup", "%lld: the pod's user namespace has no such id", (long long)files->group);
  snprintf(gid, sizeof gid, "%lld", (long long)owner);
  struct mount_param params[3] = {{"mode", files->group < 0 ? "0755" : "2755"}};
  size_t n = 1;
  if (files->group >= 0) params[n++] = (struct mount_param){"gid", gid};
  /* By it a live one is known again. */
  if (files->live) params[n++] = (struct mount_param){"source", LIVEFILES_SOURCE};
  const unsigned attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  cleanup_fd int fs = mountfd_new("tmpfs", params, n, attrs, err);
  if (fs < 0) return fs;
  int r = fill(fs, files, err);
  if (r < 0) return r;
  /* Clones inherit it. */
  r = files->read_only ? mountfd_set(fs, MOUNT_ATTR_RDONLY, 0, false) : 0;
  if (r < 0) return err_set(err, -r, "mount", "%s", files->destination);
  return files->sub_path ? attach_part(v, fs, files, err) : attach(v->root, fs, files->destination, true, err);
}
