/* Files that change while the container runs: see livefiles.h. */
#include "livefiles.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "inroot.h"
#include "mountfd.h"
#include "rmtree.h"
#include "volgroup.h"

enum { FILE_MAX_BYTES = 4 * 1024 * 1024 };

#define DATA "..data"
#define DATA_NEXT "..data_tmp"

/* --- content --- */

void livefiles_free(struct livefiles *l) {
  for (size_t i = 0; l->files && l->bytes && i < l->files->n_items; i++) {
    if (l->bytes[i]) explicit_bzero(l->bytes[i], l->len[i]);
    free(l->bytes[i]);
  }
  free(l->bytes);
  free(l->len);
  *l = (struct livefiles){0};
}

int livefiles_load(const struct bundle_files *files, struct livefiles *ret, struct err *err) {
  *ret = (struct livefiles){.files = files};
  ret->bytes = calloc(files->n_items + 1, sizeof *ret->bytes);
  ret->len = calloc(files->n_items + 1, sizeof *ret->len);
  int r = ret->bytes && ret->len ? 0 : err_set(err, ENOMEM, "files", "%s", files->destination);
  for (size_t i = 0; r == 0 && i < files->n_items; i++) {
    const struct bundle_item *item = &files->items[i];
    r = read_file_at(AT_FDCWD, item->source, FILE_MAX_BYTES, &ret->bytes[i], &ret->len[i]);
    if (r < 0) err_set(err, -r, "file", "%s from %s", item->path, item->source);
  }
  if (r < 0) livefiles_free(ret);
  return r;
}

int livefiles_write(int dir, const struct livefiles *l, size_t i, struct err *err) {
  const struct bundle_item *item = &l->files->items[i];
  /* Which group a file has it has from its folder. */
  static const struct volgroup group = {.read_only = true};
  const mode_t mode = l->files->group < 0 ? item->mode : volgroup_mode(&group, item->mode);
  cleanup_free char *parent = strdup(item->path);
  if (!parent) return err_set(err, ENOMEM, "file", "%s", item->path);
  char *slash = strrchr(parent, '/');
  if (slash) *slash = 0;
  cleanup_fd int above = inroot_make_dir(dir, slash ? parent : ".", 0755, INROOT_BENEATH);
  cleanup_fd int fd =
      above < 0 ? above : openat(above, slash ? slash + 1 : item->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  int r = above < 0 ? above : fd < 0 ? -errno : write_all(fd, l->bytes[i], l->len[i]);
  if (r == 0 && fchmod(fd, mode) < 0) r = -errno;
  return r < 0 ? err_set(err, -r, "file", "%s", item->path) : 0;
}

/* --- the layout --- */

/* The length of the first part of a path. */
static size_t first_part(const char *path) {
  return strcspn(path, "/");
}

static bool is_wanted(const struct bundle_files *files, const char *name) {
  const size_t len = strlen(name);
  for (size_t i = 0; i < files->n_items; i++)
    if (first_part(files->items[i].path) == len && !strncmp(files->items[i].path, name, len)) return true;
  return false;
}

static int link_names(int fs, const struct bundle_files *files) {
  for (size_t i = 0; i < files->n_items; i++) {
    const char *path = files->items[i].path;
    cleanup_free char *name = strndup(path, first_part(path));
    cleanup_free char *target = name ? xformat(DATA "/%s", name) : NULL;
    if (!target) return -ENOMEM;
    if (symlinkat(target, fs, name) < 0 && errno != EEXIST) return -errno;
  }
  return 0;
}

/* Links to files that are no more, the state of before, and what one that was killed has left. */
static int tidy(int fs, const struct bundle_files *files, const char *current, struct err *err) {
  cleanup_fd int fd = openat(fs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return err_set(err, errno, "files", "%s", files->destination);
  (void)steal_fd(&fd);
  int r = 0;
  for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
    const char *name = entry->d_name;
    if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, DATA) || !strcmp(name, current)) continue;
    if (strncmp(name, "..", 2) && is_wanted(files, name)) continue;
    r = rmtree_at(fs, name, err);
  }
  closedir(dir);
  return r;
}

int livefiles_put(int fs, const struct livefiles *l, struct err *err) {
  char name[64];
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(name, sizeof name, "..%lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
  if (mkdirat(fs, name, 0755) < 0) return err_set(err, errno, "files", "%s", l->files->destination);
  cleanup_fd int dir = openat(fs, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int r = dir < 0 ? err_set(err, errno, "files", "%s", l->files->destination) : 0;
  for (size_t i = 0; r == 0 && i < l->files->n_items; i++) r = livefiles_write(dir, l, i, err);
  if (r == 0 &&
      ((unlinkat(fs, DATA_NEXT, 0) < 0 && errno != ENOENT) || symlinkat(name, fs, DATA_NEXT) < 0 || renameat(fs, DATA_NEXT, fs, DATA) < 0))
    r = err_set(err, errno, "files", "%s", l->files->destination);
  if (r < 0) {
    struct err ignored;
    (void)rmtree_at(fs, name, &ignored);
    return r;
  }
  r = link_names(fs, l->files);
  if (r < 0) return err_set(err, -r, "files", "%s", l->files->destination);
  return tidy(fs, l->files, name, err);
}

/* --- in a container that runs --- */

/* Whether a line of mountinfo (proc_pid_mountinfo(5)) is of our tmpfs on this device: ID PARENT MAJOR:MINOR … - TYPE SOURCE OPTIONS. */
static bool is_ours(char *line, dev_t dev) {
  unsigned major_id, minor_id;
  char type[32], source[64];
  const char *rest = strstr(line, " - ");
  return rest && sscanf(line, "%*d %*d %u:%u", &major_id, &minor_id) == 2 && sscanf(rest, " - %31s %63s", type, source) == 2 &&
         makedev(major_id, minor_id) == dev && !strcmp(type, "tmpfs") && !strcmp(source, LIVEFILES_SOURCE);
}

static int check(int mountinfo, dev_t dev) {
  int copy = fcntl(mountinfo, F_DUPFD_CLOEXEC, 0);
  FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
  if (!file) return -errno;
  rewind(file);
  cleanup_free char *line = NULL;
  size_t size = 0;
  int r = -ENOENT;
  while (r < 0 && getline(&line, &size, file) > 0)
    if (is_ours(line, dev)) r = 0;
  (void)fclose(file);
  return r;
}

int livefiles_open(int root, int mountinfo, const char *destination, struct err *err) {
  struct stat st;
  cleanup_fd int at = inroot_open(root, destination, O_PATH | O_DIRECTORY, INROOT);
  if (at < 0 || fstat(at, &st) < 0) return err_set(err, at < 0 ? -at : errno, "files", "%s", destination);
  int r = check(mountinfo, st.st_dev);
  if (r < 0) return err_set(err, -r, "files", "%s is no longer the mount that was made there", destination);
  cleanup_fd int tree = mountfd_clone(at, "", false);
  struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};
  if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return err_set(err, tree < 0 ? -tree : errno, "files", "%s", destination);
  return steal_fd(&tree);
}
