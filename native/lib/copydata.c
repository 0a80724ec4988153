/* A file's content copied: see copydata.h. */
#include "copydata.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

/* By hand, where the kernel does not copy between these file systems. */
static int copy_by_hand(int from, int to, off_t at, off_t end) {
  char buf[64 * 1024];
  while (at < end) {
    const size_t want = end - at < (off_t)sizeof buf ? (size_t)(end - at) : sizeof buf;
    ssize_t n = pread(from, buf, want, at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -errno : 0;
    if (lseek(to, at, SEEK_SET) < 0) return -errno;
    int r = write_all(to, buf, (size_t)n);
    if (r < 0) return r;
    at += n;
  }
  return 0;
}

static int copy_range(int from, int to, off_t at, off_t end) {
  off_t in = at, out = at;
  while (in < end) {
    const size_t want = end - in < 1 << 30 ? (size_t)(end - in) : 1 << 30;
    ssize_t n = copy_file_range(from, &in, to, &out, want, 0);
    if (n == 0) return 0; /* it became shorter */
    if (n < 0 && errno != EINTR) return copy_by_hand(from, to, in, end);
  }
  return 0;
}

int copy_data(int from, int to, off_t size) {
  if (ioctl(to, FICLONE, from) == 0) return 0;
  for (off_t hole = 0; hole < size;) {
    off_t data = lseek(from, hole, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break; /* a hole up to the end */
    if (data < 0) return -errno;
    hole = lseek(from, data, SEEK_HOLE);
    if (hole < 0) return -errno;
    int r = copy_range(from, to, data, hole);
    if (r < 0) return r;
  }
  return ftruncate(to, size) < 0 ? -errno : 0;
}
