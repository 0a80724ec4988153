/* Id-mapped mounts of an OCI container, in the parent: see mounts_plan.h and mount_setattr(2). */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "mounts_plan.h"

enum { MAP_TEXT = 4096 }; /* user_namespaces(7): a map is less than a page */

static int add_line(char text[MAP_TEXT], size_t *len, uint32_t inside, uint32_t outside, uint32_t count) {
  int n = snprintf(text + *len, MAP_TEXT - *len, "%u %u %u\n", inside, outside, count);
  if (n < 0 || *len + (size_t)n >= MAP_TEXT) return -E2BIG;
  *len += (size_t)n;
  return 0;
}

static int write_list(const struct oci_id_map *map, size_t n, char text[MAP_TEXT]) {
  size_t len = 0;
  int r = n ? 0 : -EINVAL;
  for (size_t i = 0; r == 0 && i < n; i++) r = add_line(text, &len, map[i].inside, map[i].outside, map[i].count);
  return r;
}

/* An id of the container, as the host has it. */
static int of_container(const struct oci_id_map *map, size_t n, uint32_t *id) {
  for (size_t i = 0; i < n; i++)
    if (*id >= map[i].inside && *id - map[i].inside < map[i].count) {
      *id = *id - map[i].inside + map[i].outside;
      return 0;
    }
  return -EINVAL;
}

/* "uids=0-1-10#10-11-10;gids=@0-1000-1": crun's, which podman writes. With "@" the second number is an id of the container. */
static int write_words(const char *words, const char *key, const struct oci_id_map *map, size_t n_map, char text[MAP_TEXT]) {
  const size_t key_len = strlen(key);
  size_t len = 0;
  while (*words && strncmp(words, key, key_len)) words += strcspn(words, ";"), words += *words == ';';
  if (!*words) return -EINVAL;
  for (const char *p = words + key_len; *p && *p != ';';) {
    uint32_t inside, outside, count;
    int used = 0;
    const bool relative = *p == '@';
    if (sscanf(p + relative, "%u-%u-%u%n", &inside, &outside, &count, &used) != 3) return -EINVAL;
    int r = relative ? of_container(map, n_map, &outside) : 0;
    if (r == 0) r = add_line(text, &len, inside, outside, count);
    if (r < 0) return r;
    p += (size_t)used + relative;
    if (*p == '#') p++;
  }
  return len ? 0 : -EINVAL;
}

static int make_texts(const struct oci_mounts *m, size_t i, char uids[MAP_TEXT], char gids[MAP_TEXT], struct err *err) {
  const struct oci_spec *spec = m->spec;
  const struct oci_mount *mount = &spec->mounts[i];
  const struct oci_mount_plan *plan = &m->plans[i];
  int r;
  if (mount->n_uid_map || mount->n_gid_map) {
    r = write_list(mount->uid_map, mount->n_uid_map, uids);
    if (r == 0) r = write_list(mount->gid_map, mount->n_gid_map, gids);
  } else if (plan->id_map) {
    r = write_words(plan->id_map, "uids=", spec->uid_map, spec->n_uid_map, uids);
    if (r == 0) r = write_words(plan->id_map, "gids=", spec->gid_map, spec->n_gid_map, gids);
  } else {
    r = write_list(spec->uid_map, spec->n_uid_map, uids);
    if (r == 0) r = write_list(spec->gid_map, spec->n_gid_map, gids);
    if (r == -EINVAL) return err_set(err, 0, "idmap", "%s: neither the mount nor the container has mappings of ids", plan->path);
  }
  return r < 0 ? err_set(err, r == -EINVAL ? 0 : -r, "idmap", "%s: uidMappings and gidMappings must both be there", plan->path) : 0;
}

static int write_map(pid_t pid, const char *name, const char *text) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

/* A user namespace of these maps: it needs a process for as long as nobody has it open. */
static int make_namespace(const char *uids, const char *gids) {
  char path[48];
  const pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
  if (pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  if (pid < 0) return -errno;
  snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
  int r = write_map(pid, "uid_map", uids);
  if (r == 0) r = write_map(pid, "gid_map", gids);
  const int fd = r < 0 ? r : open(path, O_RDONLY | O_CLOEXEC);
  if (r == 0 && fd < 0) r = -errno;
  (void)kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return r < 0 ? r : fd;
}

int oci_idmap_apply(const struct oci_mounts *m, size_t i, int mount, struct err *err) {
  const struct oci_mount_plan *plan = &m->plans[i];
  char uids[MAP_TEXT], gids[MAP_TEXT];
  int r = make_texts(m, i, uids, gids, err);
  if (r < 0) return r;
  cleanup_fd int ns = make_namespace(uids, gids);
  if (ns < 0) return err_set(err, -ns, "idmap", "%s: a user namespace for its mappings", plan->path);
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)ns};
  if (mount_setattr(mount, "", AT_EMPTY_PATH | (plan->id_mapped_recursive ? AT_RECURSIVE : 0), &attr, sizeof attr) == 0) return 0;
  return err_set(err, errno, "idmap", "%s%s", plan->path,
                 errno == EINVAL  ? ": its file system cannot have mappings"
                 : errno == EPERM ? ": only root of the file system's own user namespace may"
                                  : "");
}
