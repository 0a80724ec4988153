/* Where podrt mounts in a container: see changes.h. What lies there below the mounts is podrt's own, never the container's. */
#include "changes.h"
#include "service.h"

/* child.c makes these for every container. */
static const char *const always[] = {"/proc", "/sys", "/dev", "/etc/hosts", "/etc/resolv.conf", "/etc/hostname", SERVICE_NOTIFY_PATH};

static int add(struct changes_points *points, const struct merged *view, const char *path, struct err *err) {
  char real[PATH_MAX];
  int r = merged_resolve(view, path, real);
  if (r < 0) return err_set(err, -r, "mount point", "%s", path);
  char *copy = strdup(real);
  if (!copy) return err_set(err, ENOMEM, "mount point", "%s", path);
  points->paths[points->n++] = copy;
  return 0;
}

int changes_points(const struct bundle *b, const struct merged *view, struct changes_points *ret, struct err *err) {
  *ret = (struct changes_points){.paths = calloc(N_ELEMENTS(always) + b->n_mounts + b->n_files, sizeof *ret->paths)};
  if (!ret->paths) return err_set(err, ENOMEM, "mount point", "%s", "");
  int r = 0;
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(always); i++) r = add(ret, view, always[i], err);
  for (size_t i = 0; r == 0 && i < b->n_mounts; i++) r = add(ret, view, b->mounts[i].destination, err);
  for (size_t i = 0; r == 0 && i < b->n_files; i++) r = add(ret, view, b->files[i].destination, err);
  if (r < 0) changes_points_free(ret);
  return r;
}

void changes_points_free(struct changes_points *points) {
  for (size_t i = 0; i < points->n; i++) free(points->paths[i]);
  free(points->paths);
  *points = (struct changes_points){0};
}

int changes_points_at(const struct changes_points *points, const char *path) {
  const size_t len = strlen(path);
  int found = 0;
  for (size_t i = 0; i < points->n; i++) {
    const char *point = points->paths[i];
    if (!strcmp(point, path)) return 2;
    if (!strncmp(point, path, len) && point[len] == '/') found = 1;
  }
  return found;
}
