/* A payload's part in systemd's protocol for services: see service.h. */
#include "service.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "inroot.h"
#include "listen_fds.h"
#include "mountfd.h"

int service_take(const struct bundle *b, struct service *ret, struct err *err) {
  *ret = (struct service){0};
  const char *path = getenv("NOTIFY_SOCKET");
  /* An abstract one belongs to a network namespace, which is not the pod's. */
  if (b->notify && (!path || *path != '/'))
    return err_set(err, EDESTADDRREQ, "sd_notify",
                   "NOTIFY_SOCKET: the container is to say itself that it is ready, and the manager's socket is not a file");
  if (!b->sockets) return 0;
  int n = listen_fds_any(err);
  if (n < 0) return n;
  if ((unsigned)n != b->sockets) return err_set(err, 0, "socket", "%d descriptors were passed, and %u are expected", n, b->sockets);
  ret->n_fds = n;
  return 0;
}

static int set(struct environment *env, const char *name, const char *value, struct err *err) {
  int r = environment_set(env, name, value);
  return r < 0 ? err_set(err, -r, "environment", "%s", name) : 0;
}

int service_environment(const struct bundle *b, const struct service *s, struct environment *env, struct err *err) {
  const char *watchdog = getenv("WATCHDOG_USEC"), *names = getenv("LISTEN_FDNAMES");
  char number[24];
  int r = 0;
  if (b->notify) r = set(env, "NOTIFY_SOCKET", SERVICE_NOTIFY_PATH, err);
  if (r == 0 && b->notify && watchdog) r = set(env, "WATCHDOG_USEC", watchdog, err);
  if (r < 0 || !b->sockets) return r;
  snprintf(number, sizeof number, "%d", s->n_fds);
  r = set(env, "LISTEN_FDS", number, err);
  /* As the payload knows itself: its process is this one. */
  snprintf(number, sizeof number, "%d", (int)getpid());
  if (r == 0) r = set(env, "LISTEN_PID", number, err);
  return r == 0 && names ? set(env, "LISTEN_FDNAMES", names, err) : r;
}

/* In the container's user namespace the manager's user, whose socket it is, is root. */
static int open_to(const char *path, uint32_t uid) {
  return uid == 0 || chmod(path, 0777) == 0 ? 0 : -errno;
}

int service_mount(const struct bundle *b, int root, uint32_t uid, struct err *err) {
  if (!b->notify) return 0;
  const char *path = getenv("NOTIFY_SOCKET");
  struct stat st;
  cleanup_fd int source = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  int r = source < 0 || fstat(source, &st) < 0 ? -errno : S_ISSOCK(st.st_mode) ? 0 : -ENOTSOCK;
  if (r == 0) r = open_to(path, uid);
  if (r < 0) return err_set(err, -r, "sd_notify", "%s", path);
  cleanup_fd int mount = mountfd_clone(source, "", false);
  r = mount < 0 ? mount
                : mountfd_set(mount, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, MS_PRIVATE, false);
  cleanup_fd int target = r < 0 ? -1 : inroot_make_target(root, SERVICE_NOTIFY_PATH, false);
  if (r == 0) r = target < 0 ? target : mountfd_attach(mount, target);
  return r < 0 ? err_set(err, -r, "sd_notify", "mount " SERVICE_NOTIFY_PATH) : 0;
}

int service_pass(const struct service *s, struct err *err) {
  for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + s->n_fds; fd++)
    if (fcntl(fd, F_SETFD, 0) < 0) return err_set(err, errno, "socket", "descriptor %d", fd);
  return 0;
}
