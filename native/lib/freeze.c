/* A cgroup that stands still: see freeze.h. */
#include "freeze.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "deadline.h"

enum { FREEZE_MS = 10 * 1000, EVENTS_MAX = 256 };

/* The handler must find it. -1: nothing is to be thawed. */
static volatile int control = -1;

static void on_signal(int sig) {
  if (control >= 0) (void)!write(control, "0", 1);
  _exit(128 + sig);
}

void freeze_end(void) {
  const int fd = control;
  control = -1;
  if (fd < 0) return;
  (void)!write(fd, "0", 1);
  close(fd);
}

/* 1 when the kernel says so of all its processes. */
static int is_frozen(int events) {
  char text[EVENTS_MAX];
  const ssize_t n = pread(events, text, sizeof text - 1, 0);
  if (n < 0) return -errno;
  text[n] = 0;
  return strstr(text, "frozen 1") != NULL;
}

int freeze_begin(const char *cgroup, struct err *err) {
  const int signals[] = {SIGHUP, SIGINT, SIGTERM};
  char was = '0';
  cleanup_free char *path = xformat("%s/cgroup.freeze", cgroup);
  cleanup_free char *events_path = xformat("%s/cgroup.events", cgroup);
  if (!path || !events_path) return err_set(err, ENOMEM, "freeze", "%s", cgroup);
  cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);
  cleanup_fd int events = open(events_path, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || events < 0) return err_set(err, errno, "freeze", "%s", cgroup);
  if (pread(fd, &was, 1, 0) != 1) return err_set(err, errno, "freeze", "%s", cgroup);
  if (was == '0') {
    control = steal_fd(&fd);
    for (size_t i = 0; i < N_ELEMENTS(signals); i++) signal(signals[i], on_signal);
    if (write(control, "1", 1) != 1) {
      const int saved = errno;
      freeze_end();
      return err_set(err, saved, "freeze", "%s", cgroup);
    }
  }
  const int64_t end = clock_ms() + FREEZE_MS;
  int r;
  while ((r = is_frozen(events)) == 0) {
    /* A change of cgroup.events is told as POLLPRI. */
    struct pollfd p = {.fd = events, .events = POLLPRI};
    const int64_t left = end - clock_ms();
    if (left <= 0 || poll(&p, 1, left < 100 ? (int)left : 100) < 0) break;
  }
  if (r == 1) return 0;
  freeze_end();
  return err_set(err, r < 0 ? -r : ETIMEDOUT, "freeze", "%s", cgroup);
}
