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

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

ssize_t xattr_names(const char *path, bool (*wanted)(const char *name), char ***ret) {
  *ret = NULL;
  ssize_t size = llistxattr(path, NULL, 0);
  if (size <= 0) return size == 0 || errno == EOPNOTSUPP || errno == ENOENT ? 0 : -errno;
  /* No more names than bytes; the bytes come after the pointers. */
  char **names = malloc((size_t)size * (sizeof *names + 1));
  if (!names) return -ENOMEM;
  char *list = (char *)(names + size);
  ssize_t n = 0;
  size = llistxattr(path, list, (size_t)size);
  for (char *p = list; size > 0 && p < list + size; p += strlen(p) + 1)
    if (wanted(p)) names[n++] = p;
  qsort(names, (size_t)n, sizeof *names, by_name);
  *ret = names;
  return n;
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
