/* The folders of one container's cgroup: see cgroup_set.h. */
#include "cgroup_set.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "cgroup_tree.h"
#include "lib/deadline.h"

enum { REMOVE_MS = 5000 };

/* --- small files --- */

int cg_write(int dir, const char *file, const char *text) {
  cleanup_fd int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  ssize_t n;
  do {
    n = write(fd, text, strlen(text));
  } while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : 0;
}

int cg_read(int dir, const char *file, char *buf, size_t size) {
  cleanup_fd int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
  size_t len = 0;
  if (fd < 0) return -errno;
  while (len < size - 1) {
    ssize_t n = read(fd, buf + len, size - 1 - len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) break;
    len += (size_t)n;
    /* They come in one piece when they fit. */
    if (len < 4096 && buf[len - 1] == '\n') break;
  }
  buf[len] = 0;
  return 0;
}

static bool number_at(const char *p, uint64_t *ret) {
  char *end;
  if (!strncmp(p, "max", 3)) {
    *ret = UINT64_MAX;
    return true;
  }
  *ret = strtoull(p, &end, 10);
  return end != p;
}

bool cg_read_number(int dir, const char *file, const char *key, uint64_t *ret) {
  char text[8192];
  if (dir < 0 || cg_read(dir, file, text, sizeof text) < 0) return false;
  if (!key) return number_at(text, ret);
  const size_t len = strlen(key);
  for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
    if (!strncmp(line, key, len) && line[len] == ' ') return number_at(line + len + 1, ret);
  return false;
}

/* --- which --- */

int cg_dir_at(const struct cg_set *set, size_t hierarchy) {
  int *dir = &set->dir[hierarchy];
  if (*dir != CG_UNSEEN) return *dir;
  cleanup_free char *full = xformat("%s%s", set->l->h[hierarchy].mount, set->path);
  *dir = full ? open(full, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  return *dir;
}

void cg_set_leave_out(struct cg_set *set, size_t hierarchy) {
  if (set->dir[hierarchy] >= 0) close(set->dir[hierarchy]);
  set->dir[hierarchy] = -1;
}

int cg_dir_v2(const struct cg_set *set) {
  return set->l->v2 < 0 ? -1 : cg_dir_at(set, (size_t)set->l->v2);
}

int cg_dir(const struct cg_set *set, enum cg_controller c, bool *ret_v2) {
  *ret_v2 = false;
  for (size_t i = 0; i < set->l->n; i++)
    if (!set->l->h[i].v2 && (set->l->h[i].controllers & 1u << c)) return cg_dir_at(set, i);
  *ret_v2 = set->l->v2 >= 0;
  return c >= CG_CPUACCT ? -1 : cg_dir_v2(set);
}

/* --- all of them --- */

static int start(const char *path, int first, struct cg_set *ret, struct err *err) {
  *ret = (struct cg_set){0};
  int r = cg_layout(&ret->l, err);
  if (r < 0) return r;
  ret->path = strdup(path);
  ret->dir = malloc(CG_HIERARCHIES * sizeof *ret->dir);
  for (size_t i = 0; i < CG_HIERARCHIES && ret->dir; i++) ret->dir[i] = first;
  if (ret->path && ret->dir) return 0;
  cg_set_close(ret);
  return err_set(err, ENOMEM, "cgroup", "%s", path);
}

void cg_set_close(struct cg_set *set) {
  for (size_t i = 0; i < CG_HIERARCHIES && set->dir; i++)
    if (set->dir[i] >= 0) close(set->dir[i]);
  free(set->dir);
  free(set->path);
  set->dir = NULL;
  set->path = NULL;
}

int cg_set_open(const char *path, struct cg_set *ret, struct err *err) {
  return start(path, CG_UNSEEN, ret, err);
}

static bool not_ours(int r) {
  return r == -EACCES || r == -EPERM || r == -EROFS || r == -ENOENT;
}

int cg_set_make(const char *path, unsigned needs, bool only_v2, bool lenient, struct cg_set *ret, struct err *err) {
  size_t made = 0;
  int r = start(path, -1, ret, err);
  for (size_t i = 0; r == 0 && i < ret->l->n; i++) {
    const struct cg_hierarchy *h = &ret->l->h[i];
    if (only_v2 && !h->v2) continue;
    r = cg_tree_make(h, path, needs, &ret->dir[i], err);
    made += r == 0;
    if (lenient && not_ours(r)) r = 0;
    /* systemd's own hierarchy limits nothing. */
    if (h->controllers == 1u << CG_SYSTEMD && not_ours(r)) r = 0;
  }
  if (r == 0 && made == 0)
    r = err_set(err, ret->l->n ? EACCES : ENOENT, "cgroup", ret->l->n ? "%s" : "%s: no hierarchy of cgroups is mounted", path);
  if (r < 0) {
    struct err ignored;
    if (r != -EBUSY) (void)cg_set_remove(ret, &ignored);
    cg_set_close(ret);
  }
  return r;
}

int cg_set_join(const char *path, unsigned needs, bool lenient, struct cg_set *ret, struct err *err) {
  int r = cg_set_open(path, ret, err);
  if (r < 0) return r;
  for (size_t i = 0; i < ret->l->n && r == 0; i++) {
    if (cg_dir_at(ret, i) >= 0) continue;
    r = cg_tree_make(&ret->l->h[i], path, needs, &ret->dir[i], err);
    if (lenient && not_ours(r)) r = 0;
  }
  if (r < 0) cg_set_close(ret);
  return r;
}

int cg_set_remove(const struct cg_set *set, struct err *err) {
  const int64_t deadline = clock_ms() + REMOVE_MS;
  int r = 0;
  for (size_t i = 0; i < set->l->n; i++) {
    if (set->dir[i] == -1) continue;
    cleanup_free char *full = xformat("%s%s", set->l->h[i].mount, set->path);
    int one = full ? cg_tree_remove(full, deadline) : -ENOMEM;
    if (one < 0 && r == 0) r = err_set(err, -one, "cgroup", "%s", full ? full : set->path);
  }
  return r;
}

int cg_set_chown(const struct cg_set *set, uid_t uid, gid_t gid, struct err *err) {
  static const char usual[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
  char list[4096], *save = NULL;
  const int dir = cg_dir_v2(set);
  if (dir < 0) return 0;
  if (fchownat(dir, "", uid, gid, AT_EMPTY_PATH) < 0) return err_set(err, errno, "cgroup", "chown %s", set->path);
  if (cg_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", list, sizeof list) < 0) strcpy(list, usual);
  for (char *file = strtok_r(list, "\n", &save); file; file = strtok_r(NULL, "\n", &save))
    if (fchownat(dir, file, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
      return err_set(err, errno, "cgroup", "chown %s/%s", set->path, file);
  return 0;
}

static int write_procs(const char *mount, const char *path, const char *sub, const char *number) {
  cleanup_free char *file = xformat("%s%s%s%s/cgroup.procs", mount, path, sub ? "/" : "", sub ? sub : "");
  return file ? cg_write(AT_FDCWD, file, number) : -ENOMEM;
}

int cg_set_enter(const struct cg_set *set, const char *sub, pid_t pid, bool is_in, struct err *err) {
  char number[16];
  size_t entered = is_in;
  snprintf(number, sizeof number, "%d", (int)pid);
  for (size_t i = 0; i < set->l->n; i++) {
    const struct cg_hierarchy *h = &set->l->h[i];
    if (set->dir[i] == -1 || (h->v2 && is_in)) continue;
    int r = write_procs(h->mount, set->path, sub, number);
    /* A v1 cpuset without CPUs or nodes takes nobody, cpusets(7). */
    if (r == -ENOSPC && !h->v2 && cg_tree_fill_cpuset(h->mount, set->path) == 0) r = write_procs(h->mount, set->path, sub, number);
    /* `sub` is a folder of whoever lives in the container, and of cgroup2 as a rule. */
    if (r == -ENOENT && sub && !h->v2) r = write_procs(h->mount, set->path, NULL, number);
    entered += r == 0;
    if (r < 0 && (r != -ENOENT || sub)) return err_set(err, -r, "cgroup", "%s%s/cgroup.procs: %s", h->mount, set->path, number);
  }
  return entered ? 0 : err_set(err, ENOENT, "cgroup", "%s", set->path);
}
