/* A container's namespaces: see ns.h. */
#include "ns.h"

#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

uint64_t oci_ns_new(const struct oci_spec *spec) {
  uint64_t flags = 0;
  for (int i = 0; i < OCI_NAMESPACES; i++)
    if (spec->ns[i].listed && !spec->ns[i].path) flags |= oci_namespace_flag((enum oci_namespace)i);
  return flags;
}

bool oci_ns_paths(const struct oci_spec *spec) {
  for (int i = 0; i < OCI_NAMESPACES; i++)
    if (spec->ns[i].path) return true;
  return false;
}

/* Joining the user namespace one is in already is an error of setns(2), and nothing to do. */
static bool is_ours(int fd, const char *name) {
  char path[40];
  struct stat own, its;
  snprintf(path, sizeof path, "/proc/self/ns/%s", name);
  return stat(path, &own) == 0 && fstat(fd, &its) == 0 && own.st_dev == its.st_dev && own.st_ino == its.st_ino;
}

int oci_ns_join(const struct oci_spec *spec, uint64_t *joined, bool last, struct err *err) {
  /* User first, for the rights in the others; mount last, for their paths. */
  static const enum oci_namespace order[] = {OCI_USER, OCI_NETWORK, OCI_IPC, OCI_UTS, OCI_PID, OCI_CGROUP, OCI_TIME, OCI_MOUNT};
  int fds[OCI_NAMESPACES];
  int r = 0;
  for (size_t i = 0; i < N_ELEMENTS(order); i++) fds[i] = -1;
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(order); i++) {
    const char *path = spec->ns[order[i]].path;
    if (!path || *joined & oci_namespace_flag(order[i])) continue;
    fds[i] = open(path, O_RDONLY | O_CLOEXEC);
    if (fds[i] < 0) r = err_set(err, errno, "namespace", "%s", path);
  }
  const bool more = !last && spec->ns[OCI_USER].listed && !spec->ns[OCI_USER].path;
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(order); i++) {
    if (fds[i] < 0) continue;
    const int flag = (int)oci_namespace_flag(order[i]);
    if (order[i] == OCI_USER && is_ours(fds[i], "user")) {
      *joined |= CLONE_NEWUSER;
      continue;
    }
    /* All of it becomes the container's, pivot_root(2) and all, as runc has it: that must never be done to the caller's own. */
    if (order[i] == OCI_MOUNT && is_ours(fds[i], "mnt")) {
      r = err_set(err, 0, "namespace", "%s is podrt's own mount namespace, not one for a container", spec->ns[OCI_MOUNT].path);
      continue;
    }
    if (setns(fds[i], flag) == 0)
      *joined |= (uint64_t)flag;
    else if (errno != EPERM || !more)
      r = err_set(err, errno, "setns", "%s: %s", oci_namespace_name(order[i]), spec->ns[order[i]].path);
  }
  for (size_t i = 0; i < N_ELEMENTS(order); i++)
    if (fds[i] >= 0) close(fds[i]);
  return r;
}

void oci_loopback_up(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) (void)ioctl(fd, SIOCSIFFLAGS, &request);
}

static int write_offsets(const struct oci_spec *spec) {
  char text[160];
  int n = 0;
  const struct {
    const char *name;
    const struct oci_time_offset *offset;
  } clocks[] = {{"monotonic", &spec->monotonic}, {"boottime", &spec->boottime}};
  for (size_t i = 0; i < N_ELEMENTS(clocks); i++)
    if (clocks[i].offset->set)
      n += snprintf(text + n, sizeof text - (size_t)n, "%s %lld %u\n", clocks[i].name, (long long)clocks[i].offset->secs,
                    clocks[i].offset->nanosecs);
  if (!n) return 0;
  cleanup_fd int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
  return fd < 0 ? -errno : write_all(fd, text, (size_t)n);
}

/* unshare(2) gives it to children alone, and offsets are taken as long as nobody is in it: time_namespaces(7). */
int oci_time_namespace(const struct oci_spec *spec, struct err *err) {
  if (unshare(CLONE_NEWTIME) < 0) return err_set(err, errno, "unshare", "time namespace");
  int r = write_offsets(spec);
  if (r < 0) return err_set(err, -r, "timeOffsets", "%s", "");
  cleanup_fd int fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || setns(fd, CLONE_NEWTIME) < 0) return err_set(err, errno, "setns", "time namespace");
  return 0;
}

int oci_ns_become_root(const struct oci_spec *spec, bool keep_groups, struct err *err) {
  bool mapped = false;
  for (size_t i = 0; i < spec->n_uid_map; i++) mapped = mapped || spec->uid_map[i].inside == 0;
  /* Joined by path, the maps are not ours to know. */
  if (spec->n_uid_map && !mapped) return 0;
  if (!keep_groups && setgroups(0, NULL) < 0 && errno != EPERM) return err_set(err, errno, "setgroups", "%s", "");
  if (setresgid(0, 0, 0) < 0) return err_set(err, errno, "setresgid", "0 in the container's user namespace");
  if (setresuid(0, 0, 0) < 0) return err_set(err, errno, "setresuid", "0 in the container's user namespace");
  return 0;
}
