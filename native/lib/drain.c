/* A pod's connections while a container of it is about to stop: see drain.h. */
#include "drain.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "deadline.h"
#include "proc.h"

#define FOLDER "draining"
#define LOCK "connections"

enum { LOOK_MS = 20, TRIES = 16 };

/* Infra's run folder of the pod; *ret_name is the container's. */
static int open_infra(int run, const char *run_dir, bool create, const char **ret_name, struct err *err) {
  const char *slash = strrchr(run_dir, '/');
  if (!slash || !slash[1] || slash[1] == '.') return err_set(err, EINVAL, "run folder", "%s", run_dir);
  *ret_name = slash + 1;
  cleanup_free char *infra = xformat("%.*s/_infra", (int)(slash - run_dir), run_dir);
  return infra ? run_open_at(run, infra, create, err) : err_set(err, ENOMEM, "run folder", "%s", run_dir);
}

static int open_lock(int infra) {
  int fd = openat(infra, LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  return fd < 0 ? -errno : fd;
}

int drain_begin(int run, const char *run_dir, struct err *err) {
  const char *name;
  cleanup_fd int infra = open_infra(run, run_dir, true, &name, err);
  if (infra < 0) return infra;
  cleanup_free char *mark = xformat(FOLDER "/%s", name);
  if (!mark) return err_set(err, ENOMEM, "write", FOLDER);
  /* Another container's end may take the folder away in between. */
  for (int i = 0; i < TRIES; i++) {
    if (mkdirat(infra, FOLDER, 0700) < 0 && errno != EEXIST) break;
    cleanup_fd int fd = openat(infra, mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0) return 0;
    if (errno != ENOENT) break;
  }
  return err_set(err, errno, "write", "%s", mark);
}

void drain_end(int run, const char *run_dir) {
  struct err ignored;
  const char *name;
  cleanup_fd int infra = open_infra(run, run_dir, false, &name, &ignored);
  cleanup_free char *mark = infra < 0 ? NULL : xformat(FOLDER "/%s", name);
  if (!mark || unlinkat(infra, mark, 0) < 0) return;
  (void)unlinkat(infra, FOLDER, AT_REMOVEDIR);
}

int drain_wait(int run, const char *run_dir, int64_t deadline, struct err *err) {
  const char *name;
  cleanup_fd int infra = open_infra(run, run_dir, true, &name, err);
  if (infra < 0) return infra;
  cleanup_fd int lock = open_lock(infra);
  if (lock < 0) return err_set(err, -lock, "open", LOCK);
  for (;;) {
    if (flock(lock, LOCK_EX | LOCK_NB) == 0) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return err_set(err, errno, "lock", LOCK);
    const int left = deadline_left(deadline);
    if (left == 0) return err_set(err, ETIMEDOUT, "connections", "they go on");
    const struct timespec rest = {.tv_nsec = (left > 0 && left < LOOK_MS ? left : LOOK_MS) * 1000000L};
    (void)nanosleep(&rest, NULL);
  }
}

bool drain_is_on(int infra) {
  /* Not access(2)'s way of looking: a forwarder may be somebody else in the pod's user namespace. */
  struct stat ignored;
  return fstatat(infra, FOLDER, &ignored, AT_SYMLINK_NOFOLLOW) == 0;
}

int drain_open(struct drain *d, int infra) {
  const int lock = open_lock(infra);
  *d = (struct drain){.infra = lock < 0 ? -1 : infra, .lock = lock < 0 ? -1 : lock};
  return lock < 0 ? lock : 0;
}

bool drain_enter(struct drain *d) {
  if (d->lock < 0) return true;
  /* Who has it alone is about to find that nobody waits. */
  if (!d->busy && flock(d->lock, LOCK_SH | LOCK_NB) < 0) return false;
  if (!drain_is_on(d->infra)) return d->busy = true;
  if (!d->busy) (void)flock(d->lock, LOCK_UN);
  return false;
}

void drain_again(struct drain *d) {
  if (d->lock >= 0 && !d->busy) d->busy = flock(d->lock, LOCK_SH | LOCK_NB) == 0;
}

void drain_leave(struct drain *d) {
  if (d->busy) (void)flock(d->lock, LOCK_UN);
  d->busy = false;
}

void drain_close(struct drain *d) {
  if (d->lock >= 0) close(steal_fd(&d->lock));
  d->infra = -1;
  d->busy = false;
}
