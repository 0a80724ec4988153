/* Waiting for a pod's uplink: see connecting.h. */
#include "connecting.h"

#include <fcntl.h>

#include "deadline.h"

#define MARK "connecting"

int connecting_begin(int dir, struct err *err) {
  cleanup_fd int fd = openat(dir, MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  return fd < 0 ? err_set(err, errno, "create", MARK) : 0;
}

void connecting_end(int dir) {
  (void)unlinkat(dir, MARK, 0);
}

int connecting_wait(int dir) {
  const int64_t deadline = clock_ms() + CONNECTING_MS;
  for (unsigned naps = 0; faccessat(dir, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0; nap(&naps))
    if (clock_ms() >= deadline) return -ETIMEDOUT;
  return 0;
}
