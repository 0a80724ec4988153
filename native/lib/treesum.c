/* A digest of a tree: see treesum.h. Names in order; numbers as text, each thing ended by NUL, so that nothing runs into the next. */
#include "treesum.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "digest.h"
#include "names.h"
#include "xattr.h"

enum { DEPTH_MAX = 900 };

struct sum {
  struct sha256_ctx sha;
  uint64_t entries;
  bool aufs;
};

static void add(struct sum *s, const void *bytes, size_t len) {
  sha256_update(&s->sha, len, bytes);
}

/* One attribute with its length before it; what is gone meanwhile counts as empty. */
static int add_xattr(struct sum *s, const char *path, const char *name) {
  ssize_t n = lgetxattr(path, name, NULL, 0);
  if (n < 0) n = 0;
  cleanup_free char *value = malloc((size_t)n + 1);
  char head[XATTR_NAME_MAX + 40];
  if (!value) return -ENOMEM;
  if (n > 0 && (n = lgetxattr(path, name, value, (size_t)n)) < 0) n = 0;
  int len = snprintf(head, sizeof head, "x %s %zd", name, n);
  add(s, head, (size_t)len + 1);
  add(s, value, (size_t)n);
  return 0;
}

/* Also an overlay's own marks: they say what is hidden. */
static bool counts(const char *name) {
  return xattr_kept(name) || !strncmp(name, "user.overlay.", 13);
}

static int add_xattrs(struct sum *s, const char *path) {
  cleanup_free char **names = NULL;
  ssize_t n = xattr_names(path, counts, &names);
  int r = n < 0 ? (int)n : 0;
  for (ssize_t i = 0; r == 0 && i < n; i++) r = add_xattr(s, path, names[i]);
  return r;
}

/* What lstat says, a link's target, the attributes; `dir` and `name` as of fstatat. A folder's size is the file system's own affair. */
static int add_entry(struct sum *s, int dir, const char *name, const struct stat *st) {
  char line[200], link[PATH_MAX];
  int len = snprintf(line, sizeof line, "%o %u %u %ju %jd %jd.%09ld %ju", st->st_mode, st->st_uid, st->st_gid,
                     (uintmax_t)(S_ISDIR(st->st_mode) ? 0 : st->st_nlink),
                     (intmax_t)(S_ISREG(st->st_mode) || S_ISLNK(st->st_mode) ? st->st_size : 0), (intmax_t)st->st_mtim.tv_sec,
                     st->st_mtim.tv_nsec, (uintmax_t)(S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? st->st_rdev : 0));
  add(s, name, strlen(name) + 1);
  add(s, line, (size_t)len + 1);
  if (S_ISLNK(st->st_mode)) {
    ssize_t n = readlinkat(dir, name, link, sizeof link - 1);
    if (n < 0) return -errno;
    link[n] = 0;
    add(s, link, (size_t)n + 1);
  }
  s->entries++;
  s->aufs = s->aufs || !strncmp(name, ".wh.", 4);
  cleanup_free char *path = xformat("/proc/self/fd/%d/%s", dir, *name ? name : ".");
  return path ? add_xattrs(s, path) : -ENOMEM;
}

/* What is below a folder; `deep` guards descriptors and stack. */
static int add_folder(struct sum *s, int folder, unsigned deep) {
  struct names names = {0};
  if (deep > DEPTH_MAX) return -ELOOP;
  int r = names_read(folder, &names);
  if (r < 0) return r;
  for (size_t i = 0; r == 0 && i < names.n; i++) {
    struct stat st;
    if (fstatat(folder, names.name[i], &st, AT_SYMLINK_NOFOLLOW) < 0) r = -errno;
    if (r == 0) r = add_entry(s, folder, names.name[i], &st);
    if (r < 0 || !S_ISDIR(st.st_mode)) continue;
    cleanup_fd int below = openat(folder, names.name[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    r = below < 0 ? -errno : add_folder(s, below, deep + 1);
  }
  add(s, "", 1);
  names_free(&names);
  return r;
}

int treesum(int root, char digest[72], uint64_t *entries, bool *aufs, struct err *err) {
  struct sum s = {.entries = 0};
  struct stat st;
  sha256_init(&s.sha);
  int r = fstat(root, &st) < 0 ? -errno : add_entry(&s, root, "", &st);
  if (r == 0) r = add_folder(&s, root, 0);
  if (r < 0) return err_set(err, -r, "look", "the unpacked layer");
  digest_text(&s.sha, digest);
  *entries = s.entries;
  if (aufs) *aufs = s.aufs;
  return 0;
}
