/* What a copy of a file has beside its content: see copyattr.h. */
#include "copyattr.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/xattr.h>

#include "xattr.h"

/* The kernel's own limits: XATTR_SIZE_MAX, XATTR_LIST_MAX. */
enum { VALUE_MAX = 64 * 1024, LIST_MAX = 64 * 1024 };

static int owner_of(const struct stat *st, const struct podids *ids, uid_t *ret_uid, gid_t *ret_gid) {
  const int64_t uid = ids ? podids_uid(ids, st->st_uid) : st->st_uid, gid = ids ? podids_gid(ids, st->st_gid) : st->st_gid;
  if (uid < 0 || gid < 0) return -ERANGE;
  *ret_uid = (uid_t)uid;
  *ret_gid = (gid_t)gid;
  return 0;
}

int copy_shift_acl(void *value, size_t size, const struct podids *ids) {
  struct posix_acl_xattr_header *header = value;
  if (size < sizeof *header || le32toh(header->a_version) != POSIX_ACL_XATTR_VERSION ||
      (size - sizeof *header) % sizeof(struct posix_acl_xattr_entry))
    return -EINVAL;
  struct posix_acl_xattr_entry *entry = (void *)(header + 1);
  for (size_t n = (size - sizeof *header) / sizeof *entry; n-- > 0; entry++) {
    const uint16_t tag = le16toh(entry->e_tag);
    if (tag != ACL_USER && tag != ACL_GROUP) continue;
    const int64_t id = tag == ACL_USER ? podids_uid(ids, le32toh(entry->e_id)) : podids_gid(ids, le32toh(entry->e_id));
    if (id < 0) return -ERANGE;
    entry->e_id = htole32((uint32_t)id);
  }
  return 0;
}

static int copy_xattr(int from, int to, const char *name, char *value, const struct podids *ids) {
  ssize_t n = fgetxattr(from, name, value, VALUE_MAX);
  if (n < 0) return ids ? -errno : 0;
  if (ids && (!strcmp(name, "system.posix_acl_access") || !strcmp(name, "system.posix_acl_default"))) {
    int r = copy_shift_acl(value, (size_t)n, ids);
    if (r < 0) return r;
  }
  int r = xattr_set(to, name, value, (size_t)n);
  return !ids || xattr_may_fail(r) ? 0 : r;
}

static int copy_xattrs(int from, int to, const struct podids *ids) {
  if (flistxattr(from, NULL, 0) == 0) return 0; /* as nearly always */
  cleanup_free char *names = malloc(LIST_MAX);
  cleanup_free char *value = malloc(VALUE_MAX);
  if (!names || !value) return -ENOMEM;
  ssize_t len = flistxattr(from, names, LIST_MAX);
  if (len <= 0) return len < 0 && errno != ENOTSUP ? -errno : 0;
  int r = 0;
  for (const char *name = names; r == 0 && name < names + len; name += strlen(name) + 1) {
    /* Of a root file system that is whole, overlay's own marks have done their work. */
    if (!ids && !strncmp(name, "user.overlay.", 13)) continue;
    r = copy_xattr(from, to, name, value, ids);
  }
  return r;
}

int copy_attributes(int from, int to, const struct stat *st, const struct podids *ids) {
  uid_t uid;
  gid_t gid;
  int r = owner_of(st, ids, &uid, &gid);
  if (r < 0) return r;
  if (fchown(to, uid, gid) < 0 || fchmod(to, st->st_mode & 07777) < 0) return -errno;
  r = copy_xattrs(from, to, ids);
  if (r < 0) return r;
  const struct timespec times[2] = {st->st_atim, st->st_mtim};
  return futimens(to, times) < 0 ? -errno : 0;
}

int copy_attributes_at(int dir, const char *name, const struct stat *st, const struct podids *ids) {
  uid_t uid;
  gid_t gid;
  int r = owner_of(st, ids, &uid, &gid);
  if (r < 0) return r;
  if (fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
  if (!S_ISLNK(st->st_mode) && fchmodat(dir, name, st->st_mode & 07777, 0) < 0) return -errno;
  const struct timespec times[2] = {st->st_atim, st->st_mtim};
  return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}
