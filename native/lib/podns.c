/* Making a pod's namespaces: see podns.h. */
#include "podns.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int loopback_up(struct err *err) {
  cleanup_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (sock < 0) return err_set(err, errno, "socket", "lo");
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  return ioctl(sock, SIOCSIFFLAGS, &request) < 0 ? err_set(err, errno, "set up", "lo") : 0;
}

/* --- sysctls --- */

static const struct {
  const char *prefix;
  int ns;
} sysctls[] = {
    {"net.", CLONE_NEWNET},       {"kernel.msg", CLONE_NEWIPC},      {"kernel.sem", CLONE_NEWIPC},        {"kernel.shm", CLONE_NEWIPC},
    {"fs.mqueue.", CLONE_NEWIPC}, {"kernel.hostname", CLONE_NEWUTS}, {"kernel.domainname", CLONE_NEWUTS},
};

int podns_sysctl_namespace(const char *name) {
  for (size_t i = 0; i < N_ELEMENTS(sysctls); i++)
    if (!strncmp(name, sysctls[i].prefix, strlen(sysctls[i].prefix))) return sysctls[i].ns;
  return 0;
}

/* net.ipv4.conf.eth0/1.forwarding: dots separate, a slash stands for a dot within a part (sysctl.d(5)). */
static int write_sysctl(int proc_sys, const char *name, const char *value) {
  char path[PATH_MAX];
  if (strlen(name) >= sizeof path) return -ENAMETOOLONG;
  strcpy(path, name);
  for (char *p = path; *p; p++) *p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
  struct open_how how = {.flags = O_WRONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  cleanup_fd int fd = (int)syscall(SYS_openat2, proc_sys, path, &how, sizeof how);
  return fd < 0 ? -errno : write_all(fd, value, strlen(value));
}

static int set_sysctls(const struct infra_conf *conf, int made, void (*warn)(const char *), struct err *err) {
  const char *name;
  json_t *value;
  if (!json_object_size(conf->sysctl)) return 0;
  cleanup_fd int proc_sys = open("/proc/sys", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (proc_sys < 0) return err_set(err, errno, "open", "/proc/sys");
  json_object_foreach(conf->sysctl, name, value) {
    int ns = podns_sysctl_namespace(name);
    if (!ns || !(ns & made))
      return err_set(err, EPERM, "sysctl", "%s: %s", name, ns ? "the pod uses the host's namespace" : "not a namespace's own");
    int r = write_sysctl(proc_sys, name, json_string_value(value));
    if (r == -EINVAL && !strcmp(name, "net.ipv4.ping_group_range")) {
      /* The usual "0 2147483647" holds groups that a rootless user has not got: ping without privileges is no reason not to start. */
      warn("sysctl net.ipv4.ping_group_range: it names groups that are not mapped here, ignoring");
      continue;
    }
    if (r < 0) return err_set(err, -r, "sysctl", "%s", name);
  }
  return 0;
}

/*
 * IPC's are for the root of their user namespace alone, whatever the capabilities, and in a namespace of the pod's own we have no id
 * (poduserns.h): a child of ours becomes that root. What it cannot do it says through a pipe.
 */
static int set_sysctls_as_root(const struct infra_conf *conf, int made, void (*warn)(const char *), struct err *err) {
  int ends[2], status;
  if (!conf->ids.own || !json_object_size(conf->sysctl)) return set_sysctls(conf, made, warn, err);
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(err, errno, "pipe", "%s", "");
  cleanup_fd int rd = ends[0];
  cleanup_fd int wr = ends[1];
  pid_t pid = fork();
  if (pid < 0) return err_set(err, errno, "fork", "%s", "");
  if (pid == 0) {
    int r = setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ? err_set(err, errno, "setresuid", "the pod's root") : 0;
    if (r == 0) r = set_sysctls(conf, made, warn, err);
    if (r < 0) (void)write_all(wr, err, sizeof *err);
    _exit(r < 0);
  }
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return err_set(err, errno, "wait", "sysctl");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  if (read(rd, err, sizeof *err) != (ssize_t)sizeof *err) return err_set(err, ECHILD, "sysctl", "%s", "");
  return err->code ? -err->code : -EINVAL;
}

int podns_make(const struct infra_conf *conf, void (*warn)(const char *text), struct err *err) {
  /*
   * The mount namespace is for the pod's file systems in memory (memoryfs.h). It belongs to another user namespace than the host's and
   * so has the host's mounts as slaves, mount_namespaces(7): what is unmounted there goes here as well, and nothing goes back.
   */
  int made = CLONE_NEWNS | (conf->network ? CLONE_NEWNET : 0) | (conf->ipc ? CLONE_NEWIPC : 0) | (conf->uts ? CLONE_NEWUTS : 0);
  if (unshare(made) < 0)
    return err_set(err, errno, "unshare", "mount%s%s%s", conf->network ? " network" : "", conf->ipc ? " ipc" : "", conf->uts ? " uts" : "");
  if (conf->uts && sethostname(conf->hostname, strlen(conf->hostname)) < 0)
    /* In our own namespace nothing refuses it but a seccomp filter: the field's default asks for SYS_ADMIN in the bounding set. */
    return err_set(err, errno, "sethostname", "%s%s", conf->hostname,
                   errno == EPERM ? ": in a container, podrt needs one with the capability SYS_ADMIN" : "");
  int r = conf->network ? loopback_up(err) : 0;
  return r < 0 ? r : set_sysctls_as_root(conf, made, warn, err);
}
