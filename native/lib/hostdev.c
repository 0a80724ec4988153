/* The host's devices: see hostdev.h. */
#include "hostdev.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "mountfd.h"

enum { DEPTH_MAX = 8 };

static bool is_own(const char *name) {
  static const char *const names[] = {"pts", "shm", "mqueue", "hugepages", "console", "ptmx"};
  for (size_t i = 0; i < N_ELEMENTS(names); i++)
    if (!strcmp(name, names[i])) return true;
  return !strncmp(name, "tty", 3) || !strncmp(name, "vcs", 3);
}

static int bind(int host, int to, const char *name, struct err *err) {
  cleanup_fd int clone = mountfd_clone(host, "", false);
  if (clone < 0) return err_set(err, -clone, "device", "the host's %s", name);
  if (mknodat(to, name, S_IFREG | 0666, 0) < 0) return errno == EEXIST ? 0 : err_set(err, errno, "device", "%s", name);
  int r = mountfd_attach_at(clone, to, name);
  return r < 0 ? err_set(err, -r, "device", "%s", name) : 0;
}

/* By its descriptor: the effective ids and capabilities count, which are those with which the container opens it. */
static bool may_open(int fd) {
  return faccessat(fd, "", R_OK, AT_EMPTY_PATH | AT_EACCESS) == 0 || faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) == 0;
}

static int bind_folder(int from, int to, unsigned depth, struct err *err);

static int bind_entry(int from, int to, const char *name, unsigned depth, struct err *err) {
  struct stat st;
  cleanup_fd int fd = openat(from, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) < 0) return 0; /* unplugged meanwhile */
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) return may_open(fd) ? bind(fd, to, name, err) : 0;
  if (!S_ISDIR(st.st_mode) || depth == DEPTH_MAX) return 0;
  if (mkdirat(to, name, 0755) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", "/dev/%s", name);
  cleanup_fd int below = openat(to, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (below < 0) return err_set(err, errno, "open", "/dev/%s", name);
  int r = bind_folder(fd, below, depth + 1, err);
  /* One that has nothing for us stays away. */
  (void)unlinkat(to, name, AT_REMOVEDIR);
  return r;
}

static int bind_folder(int from, int to, unsigned depth, struct err *err) {
  cleanup_fd int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);
  if (!dir) return 0; /* not the user's to look into */
  const int folder = steal_fd(&fd);
  int r = 0;
  for (struct dirent *e; r == 0 && (e = readdir(dir));) {
    if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || (depth == 0 && is_own(e->d_name))) continue;
    r = bind_entry(folder, to, e->d_name, depth, err);
  }
  closedir(dir);
  return r;
}

int hostdev_bind_all(int dev, struct err *err) {
  cleanup_fd int host = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return host < 0 ? err_set(err, errno, "open", "/dev") : bind_folder(host, dev, 0, err);
}
