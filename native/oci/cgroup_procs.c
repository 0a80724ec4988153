/* The processes of a cgroup: see cgroup_procs.h; the kernel's cgroup-v2.rst, "Core Interface Files", and cgroup-v1/freezer-subsystem.rst.
 */
#include "cgroup_procs.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "lib/deadline.h"

enum { DEADLINE_MS = 10 * 1000, DEPTH_MAX = 256 };

/* --- list --- */

struct pids {
  pid_t *pid;
  size_t n, room;
};

static int add(struct pids *p, pid_t pid) {
  if (p->n == p->room) {
    const size_t room = p->room ? p->room * 2 : 64;
    pid_t *more = realloc(p->pid, room * sizeof *more);
    if (!more) return -ENOMEM;
    p->pid = more;
    p->room = room;
  }
  p->pid[p->n++] = pid;
  return 0;
}

static int read_procs(int dir, struct pids *p) {
  cleanup_free char *text = NULL;
  int r = read_file_at(dir, "cgroup.procs", 64 * 1024 * 1024, &text, NULL);
  /* Gone; or a threaded one, whose processes are listed above. */
  if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP) return 0;
  if (r < 0) return r;
  for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
    const long pid = strtol(line, NULL, 10);
    /* 0: of another PID namespace, out of our reach. */
    if (pid > 0 && (r = add(p, (pid_t)pid)) < 0) return r;
  }
  return 0;
}

static int walk(int dir, unsigned depth, struct pids *p) {
  int r = read_procs(dir, p), fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = fd < 0 ? NULL : fdopendir(fd);
  if (!list) {
    if (fd >= 0) close(fd);
    return fd < 0 && errno == ENOENT ? r : -ENOMEM;
  }
  for (struct dirent *e; r == 0 && depth && (e = readdir(list));) {
    if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    cleanup_fd int below = openat(fd, e->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0) r = walk(below, depth - 1, p);
  }
  closedir(list);
  return r;
}

static int by_number(const void *a, const void *b) {
  const pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
  return (x > y) - (x < y);
}

/* cgroup2 where it is; else a v1 hierarchy, systemd's and the freezer's being those that no one else has moved processes in. */
static int main_dir(const struct cg_set *set) {
  static const enum cg_controller order[] = {CG_FREEZER, CG_DEVICES, CG_PIDS, CG_MEMORY, CG_CPU, CG_SYSTEMD};
  if (cg_dir_v2(set) >= 0) return cg_dir_v2(set);
  for (size_t i = 0; i < N_ELEMENTS(order); i++) {
    bool v2;
    const int dir = cg_dir(set, order[i], &v2);
    if (dir >= 0) return dir;
  }
  return -1;
}

/* `path` is the folder's, below the first one. */
static void find_lowest(int dir, const char *path, unsigned depth, pid_t *ret_pid, char **ret) {
  struct pids p = {0};
  int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = fd < 0 ? NULL : fdopendir(fd);
  if (!list) {
    if (fd >= 0) close(fd);
    return;
  }
  (void)read_procs(fd, &p);
  for (size_t i = 0; i < p.n; i++) {
    if (*ret_pid && p.pid[i] >= *ret_pid) continue;
    free(*ret);
    *ret = strdup(path);
    *ret_pid = p.pid[i];
  }
  free(p.pid);
  for (struct dirent *e; depth && (e = readdir(list));) {
    if (e->d_type != DT_DIR || !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
    cleanup_free char *name = xformat("%s%s%s", path, *path ? "/" : "", e->d_name);
    cleanup_fd int below = openat(fd, e->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below >= 0 && name) find_lowest(below, name, depth - 1, ret_pid, ret);
  }
  closedir(list);
}

char *cg_first_process(const struct cg_set *set) {
  char *path = NULL;
  pid_t pid = 0;
  const int dir = cg_dir_v2(set);
  if (dir >= 0) find_lowest(dir, "", DEPTH_MAX, &pid, &path);
  return path;
}

int cg_processes(const struct cg_set *set, pid_t **ret, size_t *ret_n) {
  struct pids p = {0};
  const int dir = main_dir(set);
  int r = dir < 0 ? -ENOENT : walk(dir, DEPTH_MAX, &p);
  if (r == 0 && !p.pid) r = add(&p, 0), p.n = 0;
  if (r < 0) {
    free(p.pid);
    return r;
  }
  qsort(p.pid, p.n, sizeof *p.pid, by_number);
  size_t n = 0;
  for (size_t i = 0; i < p.n; i++)
    if (i == 0 || p.pid[i] != p.pid[i - 1]) p.pid[n++] = p.pid[i];
  *ret = p.pid;
  *ret_n = n;
  return 0;
}

/* --- events of cgroup2 --- */

/* Until `key` of cgroup.events has the value. */
static int await_event(int dir, const char *key, uint64_t wanted, int64_t deadline) {
  char text[256];
  cleanup_fd int fd = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  for (;;) {
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    if (n < 0) return errno == ENODEV ? 0 : -errno;
    text[n] = 0;
    const char *at = strstr(text, key);
    if (at && strtoull(at + strlen(key), NULL, 10) == wanted) return 0;
    struct pollfd p = {.fd = fd, .events = POLLPRI};
    const int left = deadline_left(deadline);
    if (left == 0) return -ETIMEDOUT;
    if (poll(&p, 1, left) < 0 && errno != EINTR) return -errno;
  }
}

/* --- freezing --- */

static int freeze_v2(int dir, bool frozen) {
  int r = cg_write(dir, "cgroup.freeze", frozen ? "1" : "0");
  if (r < 0 || !frozen) return r;
  return await_event(dir, "frozen ", 1, clock_ms() + DEADLINE_MS);
}

/* A process that is just being made may be missed: then it stays FREEZING until it is told again. */
static int freeze_v1(int dir, bool frozen) {
  const int64_t deadline = clock_ms() + DEADLINE_MS;
  unsigned naps = 0;
  for (;;) {
    char state[32];
    int r = cg_write(dir, "freezer.state", frozen ? "FROZEN" : "THAWED");
    if (r == 0) r = cg_read(dir, "freezer.state", state, sizeof state);
    if (r < 0) return r;
    if (!strncmp(state, frozen ? "FROZEN" : "THAWED", 6)) return 0;
    if (clock_ms() > deadline) return -ETIMEDOUT;
    nap(&naps);
  }
}

/* cgroup2's freezer is of its core since Linux 5.2, with or without controllers. */
static int freezer(const struct cg_set *set, bool *ret_v2) {
  const int v2 = cg_dir_v2(set);
  *ret_v2 = v2 >= 0 && faccessat(v2, "cgroup.freeze", F_OK, AT_EACCESS) == 0;
  return *ret_v2 ? v2 : cg_dir(set, CG_FREEZER, &(bool){false});
}

int cg_freeze(const struct cg_set *set, bool frozen) {
  bool v2;
  const int dir = freezer(set, &v2);
  if (dir < 0) return -EOPNOTSUPP;
  int r = v2 ? freeze_v2(dir, frozen) : freeze_v1(dir, frozen);
  if (r < 0 && frozen) (void)(v2 ? freeze_v2(dir, false) : freeze_v1(dir, false));
  return r;
}

bool cg_is_frozen(const struct cg_set *set) {
  char text[32];
  bool v2;
  const int dir = freezer(set, &v2);
  if (dir < 0 || cg_read(dir, v2 ? "cgroup.freeze" : "freezer.state", text, sizeof text) < 0) return false;
  return v2 ? *text == '1' : !strncmp(text, "FR", 2);
}

/* --- killing --- */

static int signal_each(const struct cg_set *set, int number, size_t *ret_n) {
  cleanup_free pid_t *pid = NULL;
  int r = cg_processes(set, &pid, ret_n);
  for (size_t i = 0; i < *ret_n && r == 0; i++)
    if (kill(pid[i], number) < 0 && errno != ESRCH) r = -errno;
  return r;
}

/* Before Linux 5.14, and on v1: frozen, nobody can make another meanwhile, and no pid be somebody else's by now. */
static int kill_each(const struct cg_set *set, int64_t deadline) {
  unsigned naps = 0;
  for (;;) {
    size_t n = 0;
    const bool frozen = cg_freeze(set, true) == 0;
    int r = signal_each(set, SIGKILL, &n);
    if (frozen) (void)cg_freeze(set, false);
    if (r < 0 || n == 0) return r == -ENOENT ? 0 : r;
    if (clock_ms() > deadline) return -ETIMEDOUT;
    nap(&naps);
  }
}

int cg_kill(const struct cg_set *set, int number) {
  const int64_t deadline = clock_ms() + DEADLINE_MS;
  const int v2 = cg_dir_v2(set);
  size_t n = 0;
  if (main_dir(set) < 0) return 0;
  if (number != SIGKILL) return signal_each(set, number, &n);
  /* Nobody there, as after most containers: nothing to kill. */
  uint64_t populated;
  if (v2 >= 0 && cg_read_number(v2, "cgroup.events", "populated", &populated) && !populated) return 0;
  int r = v2 < 0 ? -ENOENT : cg_write(v2, "cgroup.kill", "1");
  if (r == 0) return await_event(v2, "populated ", 0, deadline);
  return r == -ENOENT || r == -EOPNOTSUPP ? kill_each(set, deadline) : r;
}
