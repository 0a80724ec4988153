/* Paths of a container's root file system: see inroot.h. */
#include "inroot.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>

enum { MAX_LINKS = 40, MAX_TRIES = 128 };

int inroot_open(int root, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = flags & O_CREAT ? 0644 : 0, .resolve = resolve};
  /* RESOLVE_BENEATH refuses a leading slash. */
  while (*path == '/') path++;
  for (int i = 0; i < MAX_TRIES; i++) {
    int fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
    if (fd >= 0) return fd;
    if (errno != EAGAIN && errno != EINTR) return -errno;
  }
  return -EAGAIN;
}

/*
 * `done` is a path that exists and `name` a link in it to nothing. Writes where the link leads, before `rest`, to `path`.
 */
static int follow(int parent, const char *done, const char *name, const char *rest, char path[PATH_MAX]) {
  char link[PATH_MAX], out[3 * PATH_MAX];
  ssize_t n = readlinkat(parent, name, link, sizeof link - 1);
  if (n < 0) return errno == EINVAL ? -ENOTDIR : -errno;
  link[n] = 0;
  int len = link[0] == '/' ? snprintf(out, sizeof out, "%s/%s", link, rest) : snprintf(out, sizeof out, "%s/%s/%s", done, link, rest);
  if (len < 0 || len >= PATH_MAX) return -ENAMETOOLONG;
  memcpy(path, out, (size_t)len + 1);
  return 0;
}

int inroot_make_dir(int root, const char *wanted, mode_t mode, uint64_t resolve) {
  int fd = inroot_open(root, wanted, O_PATH | O_DIRECTORY, resolve);
  if (fd != -ENOENT) return fd;

  char path[PATH_MAX], done[PATH_MAX] = "";
  if (strlen(wanted) >= sizeof path) return -ENAMETOOLONG;
  strcpy(path, wanted);
  /* Part by part: `done` is always resolved anew by the kernel, so that whatever happens meanwhile we never leave the root. */
  int links = 0;
  cleanup_fd int parent = inroot_open(root, ".", O_PATH | O_DIRECTORY, resolve);
  if (parent < 0) return parent;
  for (char *p = path; *(p += strspn(p, "/"));) {
    char name[NAME_MAX + 1];
    size_t len = strcspn(p, "/"), done_len = strlen(done);
    if (len > NAME_MAX) return -ENAMETOOLONG;
    memcpy(name, p, len);
    name[len] = 0;
    if (done_len + len + 2 > sizeof done) return -ENAMETOOLONG;
    sprintf(done + done_len, "/%s", name);
    int next = inroot_open(root, done, O_PATH | O_DIRECTORY, resolve);
    if (next == -ENOENT) {
      if (mkdirat(parent, name, mode) == 0) {
        /* The process's umask must not decide about what the container sees. */
        next = inroot_open(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, INROOT_BENEATH);
        if (next >= 0 && fchmod(next, mode) < 0) {
          close(next);
          return -errno;
        }
      } else if (errno != EEXIST) {
        return -errno;
      } else if ((next = inroot_open(root, done, O_PATH | O_DIRECTORY, resolve)) == -ENOENT) {
        /* A link to nothing. (Had the other containers of a pod that starts made the folder just now, it would have been opened.) */
        done[done_len] = 0;
        if (++links > MAX_LINKS) return -ELOOP;
        char rest[PATH_MAX];
        strcpy(rest, p + len);
        int r = follow(parent, done, name, rest, path);
        if (r < 0) return r;
        close(parent);
        parent = inroot_open(root, ".", O_PATH | O_DIRECTORY, resolve);
        if (parent < 0) return parent;
        done[0] = 0;
        p = path;
        continue;
      }
    }
    if (next < 0) return next;
    close(parent);
    parent = next;
    p += len;
  }
  /* One more look, for O_PATH and for the answer to be what the whole path means now. */
  return inroot_open(root, path, O_PATH | O_DIRECTORY, resolve);
}

/* Makes the file at `path`, or where links from there lead, with the folders above. */
static int make_file(int root, const char *wanted) {
  char path[PATH_MAX], folder[PATH_MAX];
  if (strlen(wanted) >= sizeof path) return -ENAMETOOLONG;
  strcpy(path, wanted);
  for (int links = 0; links <= MAX_LINKS; links++) {
    char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) : 0, path);
    cleanup_fd int parent = inroot_make_dir(root, folder, 0755, INROOT);
    if (parent < 0) return parent;
    /* Not O_EXCL, which would not follow a link to nothing; O_NONBLOCK in case a FIFO comes in between. */
    cleanup_fd int fd = inroot_open(root, path, O_RDONLY | O_CREAT | O_NONBLOCK | O_NOCTTY, INROOT);
    if (fd >= 0) return inroot_open(root, path, O_PATH, INROOT);
    if (fd != -ENOENT) return fd;
    /* A link into a folder that is not there: the next round makes it. */
    char next[PATH_MAX];
    int r = follow(parent, folder, name, "", next);
    if (r < 0) return r;
    strcpy(path, next);
    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/';) path[--len] = 0;
  }
  return -ELOOP;
}

int inroot_make_target(int root, const char *path, bool folder) {
  if (folder) return inroot_make_dir(root, path, 0755, INROOT);
  cleanup_fd int fd = inroot_open(root, path, O_PATH, INROOT);
  if (fd == -ENOENT) fd = make_file(root, path);
  if (fd < 0) return fd;
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  return S_ISDIR(st.st_mode) ? -EISDIR : steal_fd(&fd);
}

int inroot_read_file(int root, const char *path, size_t limit, char **ret) {
  cleanup_fd int fd = inroot_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, INROOT);
  if (fd < 0) return fd;
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  if (!S_ISREG(st.st_mode)) return -ENOENT;
  if ((uint64_t)st.st_size > limit) return -EFBIG;
  cleanup_free char *text = malloc((size_t)st.st_size + 1);
  if (!text) return -ENOMEM;
  size_t len = 0;
  while (len < (size_t)st.st_size) {
    ssize_t n = read(fd, text + len, (size_t)st.st_size - len);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -errno;
    if (n == 0) break;
    len += (size_t)n;
  }
  text[len] = 0;
  *ret = text;
  text = NULL;
  return 0;
}
