/* Extended attributes on their way into a layer: see changes.h. */
#include <endian.h>
#include <linux/capability.h>
#include <sys/xattr.h>

#include "changes.h"
#include "copyattr.h"
#include "xattr.h"

static struct podids_map inverse_of(const struct podids_map *map) {
  struct podids_map ret = {.n = map->n};
  for (size_t i = 0; i < map->n; i++)
    ret.range[i] = (struct podids_range){map->range[i].outside, map->range[i].inside, map->range[i].count};
  return ret;
}

struct podids changes_inverse(const struct podids *ids) {
  return (struct podids){.own = ids->own, .uids = inverse_of(&ids->uids), .gids = inverse_of(&ids->gids)};
}

/* user.*, capabilities and ACLs are what a container may set; the rest is the host's (xattr.h), or an overlay's own mark. */
static bool belongs(const char *name) {
  if (!xattr_kept(name) || !strncmp(name, "user.fuseoverlayfs.", 19)) return false;
  return !strncmp(name, "user.", 5) || !strcmp(name, "security.capability") || !strncmp(name, "system.posix_acl_", 17);
}

/*
 * capabilities(7), "File capability extended attribute versioning": of our own root's files the kernel shows version 2, of another's 3 with
 * that root's id, as we see it. A layer has version 2: whoever unpacks it makes it his root's.
 */
static int own_capability(void *value, size_t *size, const struct podids *inverse) {
  struct vfs_ns_cap_data *cap = value;
  if (*size == XATTR_CAPS_SZ_2 && (le32toh(cap->magic_etc) & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_2) return 0;
  if (*size != XATTR_CAPS_SZ_3 || (le32toh(cap->magic_etc) & VFS_CAP_REVISION_MASK) != VFS_CAP_REVISION_3) return -EINVAL;
  if (podids_uid(inverse, le32toh(cap->rootid)) != 0) return -ERANGE;
  cap->magic_etc = htole32(VFS_CAP_REVISION_2 | (le32toh(cap->magic_etc) & VFS_CAP_FLAGS_MASK));
  *size = XATTR_CAPS_SZ_2;
  return 0;
}

/* 1 when it was put into the list, 0 when it is gone, -EINVAL or -ERANGE when no layer can have it. */
static int take(const char *path, const char *name, const struct podids *inverse, struct xattr **list) {
  ssize_t n = lgetxattr(path, name, NULL, 0);
  cleanup_free char *value = n < 0 ? NULL : malloc((size_t)n + sizeof(struct vfs_ns_cap_data));
  if (n >= 0 && !value) return -ENOMEM;
  if (n >= 0) n = lgetxattr(path, name, value, (size_t)n);
  if (n < 0) return errno == ENODATA || errno == ENOENT ? 0 : -errno;
  size_t size = (size_t)n;
  int r = strchr(name, '=') ? -EINVAL : 0; /* pax' key=value has no way to say it */
  if (r == 0 && !strcmp(name, "security.capability")) r = own_capability(value, &size, inverse);
  if (r == 0 && !strncmp(name, "system.posix_acl_", 17)) r = copy_shift_acl(value, size, inverse);
  return r < 0 ? r : xattr_remember(list, name, value, size) ? 1 : -ENOMEM;
}

int changes_xattrs(int dir, const char *name, const struct podids *inverse, struct xattr **ret, unsigned *ret_dropped) {
  *ret = NULL;
  *ret_dropped = 0;
  cleanup_free char *path = xformat("/proc/self/fd/%d/%s", dir, *name ? name : ".");
  if (!path) return -ENOMEM;
  cleanup_free char **names = NULL;
  ssize_t n = xattr_names(path, belongs, &names);
  if (n < 0) return (int)n;
  int r = 0;
  /* Backwards, as each goes in front of the list. */
  while (r >= 0 && n > 0) {
    r = take(path, names[--n], inverse, ret);
    if (r == -EINVAL || r == -ERANGE) {
      ++*ret_dropped;
      r = 0;
    }
  }
  if (r >= 0) return 0;
  xattr_free(*ret);
  *ret = NULL;
  return r;
}

bool changes_same_xattrs(const struct xattr *a, const struct xattr *b) {
  for (; a && b; a = a->next, b = b->next)
    if (strcmp(a->name, b->name) || a->size != b->size || memcmp(a->value, b->value, a->size)) return false;
  return !a && !b;
}
