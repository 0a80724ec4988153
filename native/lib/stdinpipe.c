/* Standard input as a FIFO: see stdinpipe.h. */
#include "stdinpipe.h"

#include <fcntl.h>
#include <sys/stat.h>

static int open_end(int dir, int flags) {
  const int fd = openat(dir, STDIN_FIFO, flags | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

int stdinpipe_make(int dir, enum stdin_kind kind, int *ret_write, struct err *err) {
  *ret_write = -1;
  if (unlinkat(dir, STDIN_FIFO, 0) < 0 && errno != ENOENT) return err_set(err, errno, "remove", STDIN_FIFO);
  if (mkfifoat(dir, STDIN_FIFO, 0600) < 0) return err_set(err, errno, "make", STDIN_FIFO);
  /* Both at once waits for nobody; the others then do not, either. */
  cleanup_fd int both = open_end(dir, O_RDWR);
  if (both < 0) return err_set(err, -both, "open", STDIN_FIFO);
  if (kind == STDIN_OPEN) return steal_fd(&both);
  cleanup_fd int in = open_end(dir, O_RDONLY);
  cleanup_fd int out = in < 0 ? in : open_end(dir, O_WRONLY);
  if (out < 0) return err_set(err, -out, "open", STDIN_FIFO);
  *ret_write = steal_fd(&out);
  return steal_fd(&in);
}

int stdinpipe_open(int dir, struct err *err) {
  struct stat st;
  cleanup_fd int fd = open_end(dir, O_WRONLY | O_NONBLOCK);
  if (fd < 0) return err_set(err, -fd, "open", STDIN_FIFO);
  if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) return err_set(err, EBADF, "open", STDIN_FIFO);
  return steal_fd(&fd);
}

int stdinpipe_take(int dir, struct err *err) {
  return unlinkat(dir, STDIN_FIFO, 0) < 0 ? err_set(err, errno, "take", STDIN_FIFO) : 0;
}
