/* Waiting with an end: see deadline.h. */
#include "deadline.h"

#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <time.h>

enum { WATCH_CLOCK_MS = 150 };

int64_t clock_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int deadline_left(int64_t deadline) {
  if (deadline < 0) return -1;
  int64_t left = deadline - clock_ms();
  return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

void nap(unsigned *naps) {
  const long ms = *naps < 200 ? 1 : 50;
  (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
  ++*naps;
}

static int watch_by_inotify(int dir) {
  cleanup_fd int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return -errno;
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
  return inotify_add_watch(fd, path, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0 ? -errno : steal_fd(&fd);
}

static int watch_by_clock(void) {
  const struct timespec each = {.tv_nsec = WATCH_CLOCK_MS * 1000000L};
  const struct itimerspec when = {.it_interval = each, .it_value = each};
  cleanup_fd int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  return fd < 0 || timerfd_settime(fd, 0, &when, NULL) < 0 ? -errno : steal_fd(&fd);
}

int watch_folder(int dir) {
  int fd = watch_by_inotify(dir);
  return fd == -EMFILE || fd == -ENFILE || fd == -ENOSPC ? watch_by_clock() : fd;
}

int watch_wait(int watch, int64_t deadline) {
  struct pollfd p = {.fd = watch, .events = POLLIN};
  int r = poll(&p, 1, deadline_left(deadline));
  if (r < 0) return -errno;
  if (r == 0) return -ETIMEDOUT;
  char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
  while (read(watch, events, sizeof events) > 0) {
  }
  return 0;
}
