/* A pod's file systems in memory: see memoryfs.h. */
#include "memoryfs.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "rmtree.h"

enum { HELPER_STACK = 32 * 1024 };

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

struct helper {
  int infra;
  struct memoryfs *m;
  struct err *err;
  int result;
  bool none; /* there is nothing to fetch */
};

static int help(void *arg) {
  struct helper *h = arg;
  h->result = setns(h->infra, CLONE_NEWNS) < 0 ? err_set(h->err, errno, "setns", "infra's mount namespace") : 0;
  /* It is the host's, all that an earlier podrt's infra has: it alone is not the pod's user namespace's to join. */
  h->none = h->result == -EPERM;
  for (size_t i = 0; h->result == 0 && i < h->m->n; i++) {
    struct memoryfs_item *item = &h->m->item[i];
    item->fd = mountfd_clone(AT_FDCWD, item->path, false);
    if (item->fd < 0) h->result = err_set(h->err, -item->fd, "bind", "%s", item->path);
  }
  return 0;
}

/*
 * Somebody else has to go there, as the host's mount namespace does not take us back: a child that shares our memory and descriptors,
 * so that what it opens is ours. It does system calls only, and we stand still meanwhile (CLONE_VFORK).
 */
static int run_helper(struct helper *h) {
  _Alignas(16) char stack[HELPER_STACK];
  h->result = err_set(h->err, 0, "clone", "the helper was killed");
  pid_t pid = clone(help, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, h);
  if (pid < 0) return err_set(h->err, errno, "clone", "helper");
  while (waitpid(pid, NULL, 0) < 0)
    if (errno != EINTR) return err_set(h->err, errno, "wait", "helper");
  return h->result;
}

int memoryfs_fetch(int infra_pidfd, const struct bundle *b, struct memoryfs *ret, struct err *err) {
  struct memoryfs m = {0};
  struct helper h = {.infra = infra_pidfd, .m = &m, .err = err};
  int r = list(b, &m);
  if (r < 0)
    err_set(err, -r, "memory", "%s", "");
  else
    r = run_helper(&h);
  if (r < 0) memoryfs_free(&m);
  *ret = m;
  return h.none ? 0 : r;
}

/* --- attaching --- */

int memoryfs_attach(const struct memoryfs *m, struct err *err) {
  for (size_t i = 0; i < m->n; i++)
    if (move_mount(m->item[i].fd, "", AT_FDCWD, m->item[i].path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
      return err_set(err, errno, "mount", "%s", m->item[i].path);
  return 0;
}

void memoryfs_free(struct memoryfs *m) {
  for (size_t i = 0; i < m->n; i++) {
    if (m->item[i].fd >= 0) close(m->item[i].fd);
    free(m->item[i].path);
  }
  free(m->item);
  *m = (struct memoryfs){0};
}
