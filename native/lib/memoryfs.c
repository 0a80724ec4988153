/* A pod's file systems in memory: see memoryfs.h. */
#include "memoryfs.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include "rmtree.h"

/* The folder is root's alone: whoever does not see the tmpfs on it has nothing to fill. */
int memoryfs_make(int parent, const char *name, const struct mount_param *params, size_t n, struct err *err) {
  int r = rmtree_at(parent, name, err);
  if (r < 0) return r;
  if (mkdirat(parent, name, 0700) < 0) return err_set(err, errno, "mkdir", "%s", name);
  cleanup_fd int fs = mountfd_new("tmpfs", params, n, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, err);
  if (fs < 0) return fs;
  r = mountfd_attach_at(fs, parent, name);
  return r < 0 ? err_set(err, -r, "mount", "%s", name) : 0;
}

/* --- which --- */

struct memoryfs {
  size_t n;
  struct memoryfs_item {
    char *path; /* where it is in infra's namespace and is to be in the container's */
    int fd;     /* a clone that is attached nowhere; -1 before */
  } * item;
};

static bool is_memory(const struct bundle_mount *m) {
  for (size_t i = 0; m->options[i]; i++)
    if (!strcmp(m->options[i], "x-podgen.memory")) return m->source != NULL;
  return false;
}

/* Takes `path` over. A volume may be mounted at several places of a container: once is enough. */
static int add(struct memoryfs *m, char *path) {
  if (!path) return -ENOMEM;
  for (size_t i = 0; i < m->n; i++)
    if (!strcmp(m->item[i].path, path)) {
      free(path);
      return 0;
    }
  m->item[m->n++] = (struct memoryfs_item){.path = path, .fd = -1};
  return 0;
}

static int list(const struct bundle *b, struct memoryfs *ret) {
  const char *base = getenv("XDG_RUNTIME_DIR");
  ret->item = calloc(b->n_mounts + 1, sizeof *ret->item);
  if (!ret->item) return -ENOMEM;
  int r = add(ret, xformat("%s/podgen/%s/shm", base ? base : "", b->join));
  for (size_t i = 0; r == 0 && i < b->n_mounts; i++)
    if (is_memory(&b->mounts[i])) r = add(ret, strdup(b->mounts[i].source));
  return r;
}

/* --- fetching --- */

static int clone_all(struct memoryfs *m, struct err *err) {
  for (size_t i = 0; i < m->n; i++) {
    m->item[i].fd = mountfd_clone(AT_FDCWD, m->item[i].path, false);
    if (m->item[i].fd < 0) return err_set(err, -m->item[i].fd, "bind", "%s", m->item[i].path);
  }
  return 0;
}

static int attach_all(const struct memoryfs *m, struct err *err) {
  for (size_t i = 0; i < m->n; i++)
    if (move_mount(m->item[i].fd, "", AT_FDCWD, m->item[i].path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
      return err_set(err, errno, "mount", "%s", m->item[i].path);
  return 0;
}

/* There and back: the clones, attached nowhere, can be taken along. */
static int fetch(int infra_pidfd, struct memoryfs *m, struct err *err) {
  cleanup_fd int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  if (own < 0) return err_set(err, errno, "open", "/proc/self/ns/mnt");
  if (setns(infra_pidfd, CLONE_NEWNS) < 0) {
    /* It is the host's, all that an earlier podrt's infra has: it alone is not the pod's user namespace's to join. */
    return errno == EPERM ? 0 : err_set(err, errno, "setns", "infra's mount namespace");
  }
  int r = clone_all(m, err);
  if (r < 0) return r;
  if (setns(own, CLONE_NEWNS) < 0) return err_set(err, errno, "setns", "back from infra's mount namespace");
  return attach_all(m, err);
}

int memoryfs_mount(int infra_pidfd, const struct bundle *b, struct err *err) {
  struct memoryfs m = {0};
  int r = list(b, &m);
  if (r < 0)
    err_set(err, -r, "memory", "%s", "");
  else
    r = fetch(infra_pidfd, &m, err);
  for (size_t i = 0; i < m.n; i++) {
    if (m.item[i].fd >= 0) close(m.item[i].fd);
    free(m.item[i].path);
  }
  free(m.item);
  return r;
}
