/* Extended attributes from an archive: see xattr.h. */
#include "xattr.h"

#include <sys/xattr.h>

bool xattr_kept(const char *name) {
  static const char *const dropped[] = {"user.overlay.", "trusted.", "security.selinux"};
  for (size_t i = 0; i < N_ELEMENTS(dropped); i++)
    if (!strncmp(name, dropped[i], strlen(dropped[i]))) return false;
  return true;
}

int xattr_set(int fd, const char *name, const void *value, size_t size) {
  return fsetxattr(fd, name, value, size, 0) < 0 ? -errno : 0;
}

int xattr_set_at(int dirfd, const char *file, const char *name, const void *value, size_t size) {
  /* The calls that take a folder's descriptor came with Linux 6.13; /proc names it everywhere. */
  cleanup_free char *path = xformat("/proc/self/fd/%d/%s", dirfd, file);
  if (!path) return -ENOMEM;
  return lsetxattr(path, name, value, size, 0) < 0 ? -errno : 0;
}

bool xattr_may_fail(int code) {
  return code == -EOPNOTSUPP || code == -EPERM;
}

bool xattr_remember(struct xattr **list, const char *name, const void *value, size_t size) {
  struct xattr *x = calloc(1, sizeof *x);
  if (x && (x->name = strdup(name)) && (x->value = malloc(size ? size : 1))) {
    memcpy(x->value, value, size);
    x->size = size;
    x->next = *list;
    *list = x;
    return true;
  }
  xattr_free(x);
  return false;
}

void xattr_free(struct xattr *list) {
  while (list) {
    struct xattr *next = list->next;
    free(list->name);
    free(list->value);
    free(list);
    list = next;
  }
}
