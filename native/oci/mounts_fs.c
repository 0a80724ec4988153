/* New file systems of any type for an OCI container, detached: see mounts_plan.h. */
#include <fcntl.h>

#include "mounts_plan.h"

/* What fsconfig(2) calls them; iversion and silent have no name there. */
static const struct {
  unsigned long bit;
  const char *name;
} super_flags[] = {{MS_SYNCHRONOUS, "sync"}, {MS_DIRSYNC, "dirsync"}, {MS_MANDLOCK, "mand"}, {MS_LAZYTIME, "lazytime"}};

static const struct {
  uint64_t attr;
  unsigned long flag;
} attr_flags[] = {{MOUNT_ATTR_RDONLY, MS_RDONLY},         {MOUNT_ATTR_NOSUID, MS_NOSUID},
                  {MOUNT_ATTR_NODEV, MS_NODEV},           {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
                  {MOUNT_ATTR_NOATIME, MS_NOATIME},       {MOUNT_ATTR_STRICTATIME, MS_STRICTATIME},
                  {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME}, {MOUNT_ATTR_NOSYMFOLLOW, 256 /* MS_NOSYMFOLLOW, Linux 5.10 */}};

struct wish {
  const char *type, *source, *label;
  const struct oci_mount_plan *plan;
  uint64_t attrs;
  bool no_gid;
};

static bool is(const char *type, const char *name) {
  return !strcmp(type, name);
}

static int set_param(int context, const struct wish *w, const struct mount_param *p, struct err *err) {
  if (w->no_gid && !strcmp(p->key, "gid")) return 0;
  if (fsconfig(context, p->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, p->key, p->value, 0) == 0) return 0;
  return mountfd_fail(context, errno, w->type, p->key, err);
}

/* *ret_old: mount(2) may know better: a value beyond 255 bytes, an option that the new interface does not take, a device that is read-only.
 */
static int by_context(const struct wish *w, bool *ret_old, struct err *err) {
  const struct oci_mount_plan *plan = w->plan;
  cleanup_fd int context = fsopen(w->type, FSOPEN_CLOEXEC);
  if (context < 0) {
    *ret_old = errno == ENOSYS;
    return err_set(err, errno, "mount", "%s", w->type);
  }
  int r = 0;
  const struct mount_param source = {"source", w->source}, context_label = {"context", w->label};
  if (w->source) r = set_param(context, w, &source, err);
  if (r == 0 && w->label) r = set_param(context, w, &context_label, err);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(super_flags); i++) {
    const struct mount_param flag = {super_flags[i].name, NULL};
    if (plan->super & super_flags[i].bit) r = set_param(context, w, &flag, err);
  }
  for (size_t i = 0; r == 0 && i < plan->n_data; i++) r = set_param(context, w, &plan->data[i], err);
  if (r < 0) {
    *ret_old = r == -EINVAL;
    return r;
  }
  if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
    *ret_old = (errno == EACCES || errno == EROFS) && w->attrs & MOUNT_ATTR_RDONLY;
    return mountfd_fail(context, errno, "mount", w->type, err);
  }
  int mount = fsmount(context, FSMOUNT_CLOEXEC, (unsigned)w->attrs);
  return mount < 0 ? mountfd_fail(context, errno, "mount", w->type, err) : mount;
}

/* The fifth argument of mount(2). NULL when out of memory. */
static char *data_string(const struct wish *w) {
  size_t room = 1 + (w->label ? strlen(w->label) + 12 : 0), len = 0;
  const struct oci_mount_plan *plan = w->plan;
  for (size_t i = 0; i < plan->n_data; i++) room += strlen(plan->data[i].key) + (plan->data[i].value ? strlen(plan->data[i].value) : 0) + 2;
  char *text = malloc(room);
  if (!text) return NULL;
  text[0] = 0;
  if (w->label) len += (size_t)sprintf(text, "context=\"%s\",", w->label);
  for (size_t i = 0; i < plan->n_data; i++) {
    const struct mount_param *p = &plan->data[i];
    len += (size_t)sprintf(text + len, p->value ? "%s=%s," : "%s,", p->key, p->value);
  }
  if (len) text[len - 1] = 0;
  return text;
}

/*
 * mount(2) needs a place: over "/" nobody sees it and no link is in the way; "/.." leads to what covers the root, from where it is taken
 * as a detached mount. "/" is ours and no shared mount by now (mounts_root.c).
 */
static int by_path(const struct wish *w) {
  cleanup_free char *data = data_string(w);
  if (!data) return -ENOMEM;
  unsigned long flags = w->plan->super;
  for (size_t i = 0; i < N_ELEMENTS(attr_flags); i++)
    if (w->attrs & attr_flags[i].attr) flags |= attr_flags[i].flag;
  if (mount(w->source ? w->source : w->type, "/", w->type, flags, data) < 0) return -errno;
  cleanup_fd int fd = open_tree(AT_FDCWD, "/..", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  int r = fd < 0 ? -errno : 0;
  if (umount2("/..", MNT_DETACH) < 0 && r == 0) r = -errno;
  return r < 0 ? r : steal_fd(&fd);
}

int oci_fs_new(const char *type, const char *source, const struct oci_mount_plan *plan, uint64_t attrs, const char *label,
               struct err *err) {
  struct wish w = {.type = type, .source = source, .plan = plan, .attrs = attrs, .label = label};
  bool old = false;
  int fd = by_context(&w, &old, err);
  /* Engines write gid=5 (tty) for devpts even where that group is not mapped. Linux 6.12 says so of the whole, newer ones of the option. */
  if (fd == -EINVAL && is(type, "devpts")) {
    w.no_gid = true;
    fd = by_context(&w, &old, err);
  }
  if (fd >= 0 || !old) return fd;
  /* The new interface has words for what is wrong; they stay when the old one fails too. */
  int by_old = by_path(&w);
  return by_old < 0 ? fd : by_old;
}
