/* Small files that outlive a power cut: see durable.h. */
#include "durable.h"

#include <fcntl.h>
#include <sys/stat.h>

int durable_folders(const char *path) {
  cleanup_free char *copy = strdup(path);
  if (!copy) return -ENOMEM;
  for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    if (mkdir(copy, 0700) < 0 && errno != EEXIST) return -errno;
    *slash = '/';
  }
  return 0;
}

static int sync_folder(const char *path) {
  const char *slash = strrchr(path, '/');
  cleanup_free char *folder = xformat("%.*s", (int)(slash - path), path);
  cleanup_fd int fd = folder ? open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (!folder) return -ENOMEM;
  return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int durable_write(const char *path, const void *bytes, size_t len, mode_t mode) {
  if (*path != '/') return -EINVAL;
  cleanup_free char *tmp = xformat("%s.%d.tmp", path, (int)getpid());
  int r = tmp ? durable_folders(path) : -ENOMEM;
  if (r < 0) return r;
  cleanup_fd int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return -errno;
  r = write_all(fd, bytes, len);
  if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 || rename(tmp, path) < 0)) r = -errno;
  if (r < 0) (void)unlink(tmp);
  return r < 0 ? r : sync_folder(path);
}
