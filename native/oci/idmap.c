/* A container's id maps: see ns.h. */
#include <fcntl.h>
#include <sys/wait.h>

#include "ns.h"

/* The kernel takes 340 lines (user_namespaces(7)). */
enum { LINE = 36, MAX_LINES = 340 };

bool oci_map_is_own(const struct oci_spec *spec, uint32_t uid, uint32_t gid) {
  return spec->n_uid_map == 1 && spec->n_gid_map == 1 && spec->uid_map->count == 1 && spec->gid_map->count == 1 &&
         spec->uid_map->outside == uid && spec->gid_map->outside == gid;
}

static int write_proc(int proc, const char *name, const char *text) {
  cleanup_fd int fd = openat(proc, name, O_WRONLY | O_CLOEXEC);
  return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

static char *map_text(const struct oci_id_map *map, size_t n) {
  char *text = malloc(n * LINE + 1);
  size_t len = 0;
  if (!text) return NULL;
  text[0] = 0;
  for (size_t i = 0; i < n; i++) len += (size_t)sprintf(text + len, "%u %u %u\n", map[i].inside, map[i].outside, map[i].count);
  return text;
}

static int write_maps(const struct oci_spec *spec, int proc, bool deny, const char **ret_what) {
  cleanup_free char *uids = map_text(spec->uid_map, spec->n_uid_map);
  cleanup_free char *gids = map_text(spec->gid_map, spec->n_gid_map);
  *ret_what = "uid_map";
  if (!uids || !gids) return -ENOMEM;
  int r = write_proc(proc, "uid_map", uids);
  if (r < 0) return r;
  /* Without this a process could leave a group that denies it something. */
  if (deny) r = write_proc(proc, *ret_what = "setgroups", "deny");
  return r < 0 ? r : write_proc(proc, *ret_what = "gid_map", gids);
}

int oci_map_own(const struct oci_spec *spec, struct err *err) {
  const char *what;
  cleanup_fd int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
  int r = proc < 0 ? -errno : write_maps(spec, proc, true, &what);
  return r < 0 ? err_set(err, -r, "user namespace", "%s", proc < 0 ? "/proc/self" : what) : 0;
}

static int run_tool(const char *tool, pid_t pid, const struct oci_id_map *map, size_t n, struct err *err) {
  cleanup_free char *numbers = malloc((3 * n + 1) * 11 + 1);
  cleanup_free char **argv = calloc(3 * n + 3, sizeof *argv);
  size_t a = 0;
  if (!numbers || !argv) return err_set(err, ENOMEM, tool, "%s", "");
  char *p = numbers;
  argv[a++] = (char *)tool;
  for (size_t i = 0; i < 3 * n + 1; i++) {
    const struct oci_id_map *m = i ? &map[(i - 1) / 3] : NULL;
    unsigned value = !m ? (unsigned)pid : (i - 1) % 3 == 0 ? m->inside : (i - 1) % 3 == 1 ? m->outside : m->count;
    argv[a++] = p;
    p += sprintf(p, "%u", value) + 1;
  }
  pid_t child = fork();
  if (child == 0) {
    execvp(tool, argv);
    dprintf(STDERR_FILENO, "podrt: %s: %s\n", tool, strerror(errno));
    _exit(127);
  }
  if (child < 0) return err_set(err, errno, "fork", "%s", tool);
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return err_set(err, errno, "wait", "%s", tool);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  return err_set(err, 0, "user namespace", "%s failed: are the ids in /etc/subuid and /etc/subgid, and the package uidmap there?", tool);
}

int oci_map_write(const struct oci_spec *spec, pid_t pid, struct err *err) {
  const char *what;
  char path[32];
  if (spec->n_uid_map > MAX_LINES || spec->n_gid_map > MAX_LINES)
    return err_set(err, E2BIG, "user namespace", "more than %d lines", MAX_LINES);
  snprintf(path, sizeof path, "/proc/%d", (int)pid);
  cleanup_fd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0) return err_set(err, errno, "open", "%s", path);
  /* All or nothing, so that the tools find maps that are not written yet. */
  int r = write_maps(spec, proc, false, &what);
  if (r == 0 || r != -EPERM) return r < 0 ? err_set(err, -r, "user namespace", "%s", what) : 0;
  if (!strcmp(what, "uid_map"))
    r = run_tool("newuidmap", pid, spec->uid_map, spec->n_uid_map, err);
  else
    r = 0;
  return r == 0 ? run_tool("newgidmap", pid, spec->gid_map, spec->n_gid_map, err) : r;
}
