/* Making one entry of a layer: owner and metadata, then one function per kind. */
#include "unpack_entry.h"

#include <fcntl.h>
#include <inttypes.h>

#include "userns.h"
#include "xattr.h"

static int fail(const struct unpack *u, struct err *err, int code, const char *step) {
  return err_set(err, -code, step, "%s", u->shown);
}

/* --- what entries have in common ----------------------------------------------------------------------------------- */

static int check_id(const struct unpack *u, const struct idmap *map, int64_t id, const char *kind, struct err *err) {
  if (idmap_has(map, id)) return 0;
  err_set(err, 0, "owner",
          "%.200s: %s id %" PRId64 " is not among the %" PRIu64
          " mapped here; with `usermod --add-sub%ss FIRST-LAST USER` give the user %" PRId64 " ids or more" USERNS_THEN,
          u->shown, kind, id, map->total, map == &u->uids ? "uid" : "gid", id);
  return -EINVAL;
}

static int take_metadata(struct unpack *u, struct err *err) {
  int64_t uid = archive_entry_uid(u->entry), gid = archive_entry_gid(u->entry);
  int r = 0;
  if (u->single) {
    if ((uid || gid) && !u->squashed)
      unpack_warn(u, "owners are lost, all files belong to the user: only one id is mapped. %s",
                  u->options->single_reason ? u->options->single_reason : "");
    if (uid || gid) u->squashed = true;
    uid = gid = 0;
  } else if ((r = check_id(u, &u->uids, uid, "user", err)) < 0 || (r = check_id(u, &u->gids, gid, "group", err)) < 0) {
    return r;
  }
  u->mode = archive_entry_perm(u->entry) & 07777;
  u->uid = (uid_t)uid;
  u->gid = (gid_t)gid;
  u->times[0] = u->times[1] = (struct timespec){.tv_sec = archive_entry_mtime(u->entry), .tv_nsec = archive_entry_mtime_nsec(u->entry)};
  return 0;
}

/* Sets the entry's attributes on an open file, or by name where fd is -1. Last: writes and chown take security.capability away. */
static int set_xattrs(struct unpack *u, int fd, int parent, const char *name, struct err *err) {
  const char *key;
  const void *value;
  size_t size;
  if (archive_entry_xattr_reset(u->entry) == 0) return 0;
  while (archive_entry_xattr_next(u->entry, &key, &value, &size) == ARCHIVE_OK) {
    if (!key || !xattr_kept(key)) continue;
    int r = fd >= 0 ? xattr_set(fd, key, value, size) : xattr_set_at(parent, name, key, value, size);
    if (r < 0 && !xattr_may_fail(r)) return err_set(err, -r, "attribute", "%s: %.100s (%zu bytes)", u->shown, key, size);
    if (r < 0) unpack_warn_xattr(u, u->shown, key, r);
  }
  return 0;
}

/* Owner, times and attributes of what cannot be opened: symlinks and fifos. */
static int finish_special(struct unpack *u, int parent, const char *name, struct err *err) {
  if ((u->uid || u->gid) && fchownat(parent, name, u->uid, u->gid, AT_SYMLINK_NOFOLLOW) < 0) return fail(u, err, -errno, "owner");
  int r = set_xattrs(u, -1, parent, name, err);
  if (r < 0) return r;
  return utimensat(parent, name, u->times, AT_SYMLINK_NOFOLLOW) < 0 ? fail(u, err, -errno, "time") : 0;
}

/* --- kinds of entries ---------------------------------------------------------------------------------------------- */

static int write_data(struct unpack *u, int fd, struct err *err) {
  int64_t size = archive_entry_size(u->entry), end = 0;
  if (size < 0 || (uint64_t)size > u->options->max_bytes) {
    err_set(err, 0, "limit", "%s: a file of %" PRId64 " bytes (--max-bytes)", u->shown, size);
    return -E2BIG;
  }
  for (;;) {
    const void *bytes;
    size_t len;
    la_int64_t at;
    u->between = end == size;
    int r = archive_read_data_block(u->archive, &bytes, &len, &at);
    u->between = false;
    if (r == ARCHIVE_EOF) break;
    if (r != ARCHIVE_OK) return unpack_archive_fail(u, err);
    for (size_t done = 0; done < len;) {
      ssize_t n = pwrite(fd, (const char *)bytes + done, len - done, at + (int64_t)done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail(u, err, -errno, "write");
      done += (size_t)n;
    }
    end = at + (int64_t)len;
    if (u->options->recipe) recipe_data(u->options->recipe, u->path, bytes, len, at);
  }
  return end < size && ftruncate(fd, size) < 0 ? fail(u, err, -errno, "write") : 0;
}

static int make_file(struct unpack *u, int parent, const char *name, struct err *err) {
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  int r = 0;
  cleanup_fd int fd = openat(parent, name, flags, u->mode & 0777);
  if (fd < 0 && errno == EEXIST) {
    r = tree_remove(&u->tree, parent, name, err);
    if (r < 0) return r;
    fd = openat(parent, name, flags, u->mode & 0777);
  }
  if (fd < 0) return fail(u, err, -errno, "create");
  if ((r = write_data(u, fd, err)) < 0) return r;
  /* Made by us, so it is root's already: most files need no call here. */
  if ((u->uid || u->gid) && fchown(fd, u->uid, u->gid) < 0) return fail(u, err, -errno, "owner");
  if ((u->mode & 07000) && fchmod(fd, u->mode) < 0) return fail(u, err, -errno, "mode");
  if ((r = set_xattrs(u, fd, -1, NULL, err)) < 0) return r;
  return futimens(fd, u->times) < 0 ? fail(u, err, -errno, "time") : 0;
}

static int make_symlink(struct unpack *u, int parent, const char *name, struct err *err) {
  const char *target = archive_entry_symlink(u->entry);
  if (!target || !*target) return fail(u, err, -EINVAL, "symlink");
  if (symlinkat(target, parent, name) < 0) {
    int r = errno == EEXIST ? tree_remove(&u->tree, parent, name, err) : fail(u, err, -errno, "symlink");
    if (r < 0) return r;
    if (symlinkat(target, parent, name) < 0) return fail(u, err, -errno, "symlink");
  }
  return finish_special(u, parent, name, err);
}

static int make_fifo(struct unpack *u, int parent, const char *name, struct err *err) {
  int r = tree_remove(&u->tree, parent, name, err);
  if (r < 0) return r;
  if (mknodat(parent, name, S_IFIFO | (u->mode & 0777), 0) < 0) return fail(u, err, -errno, "fifo");
  return finish_special(u, parent, name, err);
}

static int make_link(struct unpack *u, int parent, const char *name, struct err *err) {
  char target[PATH_MAX], shown[256];
  const char *last;
  struct stat st, there;
  int r = tarpath_clean(archive_entry_hardlink(u->entry), &u->options->names, target, err);
  if (r < 0) return r;
  tarpath_show(target, shown, sizeof shown);
  cleanup_fd int from = tree_open_parent(&u->tree, target, &last);
  if (from < 0 || fstatat(from, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return err_set(err, from < 0 ? -from : errno, "hard link", "%.200s: its target %s is not in this layer", u->shown, shown);
  if (S_ISDIR(st.st_mode) || S_ISCHR(st.st_mode))
    return err_set(err, EPERM, "hard link", "%.200s: its target %s is no file", u->shown, shown);
  if (linkat(from, last, parent, name, 0) == 0) return 0;
  if (errno != EEXIST) return fail(u, err, -errno, "hard link");
  if (fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_ino == st.st_ino) return 0;
  r = tree_remove(&u->tree, parent, name, err);
  if (r < 0) return r;
  return linkat(from, last, parent, name, 0) < 0 ? fail(u, err, -errno, "hard link") : 0;
}

/* Owner and mode of a folder that is new or was made before; the rest waits for the end. `name` is "" for the root itself. */
static int finish_folder(struct unpack *u, int parent, const char *name, const char *path, struct err *err) {
  struct stat st;
  if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0) return fail(u, err, -errno, "folder");
  if ((st.st_uid != u->uid || st.st_gid != u->gid) && fchownat(parent, name, u->uid, u->gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
    return fail(u, err, -errno, "owner");
  /* It is a folder, so fchmodat follows nothing. */
  if ((st.st_mode & 07777) != (u->mode & 01777) &&
      (*name ? fchmodat(parent, name, u->mode & 01777, 0) : fchmod(parent, u->mode & 01777)) < 0)
    return fail(u, err, -errno, "mode");
  struct xattr *xattrs = NULL;
  const char *key;
  const void *value;
  size_t size;
  if (archive_entry_xattr_reset(u->entry) > 0)
    while (archive_entry_xattr_next(u->entry, &key, &value, &size) == ARCHIVE_OK)
      if (key && xattr_kept(key) && !xattr_remember(&xattrs, key, value, size)) return xattr_free(xattrs), fail(u, err, -ENOMEM, "folder");
  int r = folders_add(&u->folders, path, st.st_ino, u->mode, u->times[1], xattrs);
  return r < 0 ? fail(u, err, r, "folder") : 0;
}

static int make_folder(struct unpack *u, int parent, const char *name, const char *path, struct err *err) {
  int r = tree_mkdir(&u->tree, parent, name, u->mode & 01777, err);
  return r < 0 ? r : finish_folder(u, parent, name, path, err);
}

/* --- the entry ------------------------------------------------------------------------------------------------------ */

int unpack_entry(struct unpack *u, const char *path, struct err *err) {
  const char *name;
  mode_t type = archive_entry_filetype(u->entry);
  bool link = archive_entry_hardlink(u->entry) != NULL;
  int r = take_metadata(u, err);
  if (r < 0) return r;
  if (!*path) return !link && type == AE_IFDIR ? finish_folder(u, u->tree.root, "", "", err) : fail(u, err, -ENOTDIR, "root");
  int parent = tree_parent(&u->tree, path, &name, err);
  if (parent < 0) return parent;
  if (link) return make_link(u, parent, name, err);
  switch (type) {
    case AE_IFREG:
      return make_file(u, parent, name, err);
    case AE_IFDIR:
      return make_folder(u, parent, name, path, err);
    case AE_IFLNK:
      return make_symlink(u, parent, name, err);
    case AE_IFIFO:
      return make_fifo(u, parent, name, err);
    default:
      unpack_warn(u, "%s: device node left out: a user namespace may not make any", u->shown);
      return 0;
  }
}
