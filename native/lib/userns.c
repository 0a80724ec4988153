/* The user namespace: see userns.h and user_namespaces(7). Root in it is the user; from 1 up come the subordinate ids. */
#include "userns.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "deadline.h"
#include "machine.h"
#include "proc.h"
#include "subid.h"

#define SUBUID "/etc/subuid"
#define SUBGID "/etc/subgid"
enum { RETRY_MS = 500 };

/* What stands in the warning after the reason: what a single id means. */
#define CONSEQUENCE "only images whose files and processes are all root's will work"

/* --- newuidmap, newgidmap --- */

struct helper {
  int words; /* what it says comes here */
  pid_t pid;
  const char *tool; /* "newuidmap" */
};

static bool succeeds(const char *tool, char *const argv[]) {
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    execvp(tool, argv);
    dprintf(STDERR_FILENO, "%s: %s\n", tool, strerror(errno));
    _exit(127);
  }
  if (pid < 0) {
    dprintf(STDERR_FILENO, "%s: fork: %s\n", tool, strerror(errno));
    return false;
  }
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A tool that is there and has the rights may have failed because it was just being upgraded, or memory was short. */
static bool worth_another_try(const char *tool) {
  char path[256];
  struct machine_result fit;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return false;
  machine_map_tool(tool, &fit, path);
  return fit.ok;
}

/* The helper's life. The map is the kernel's to take once, so that a tool that failed has written none of it. */
static bool helper_work(const char *tool, char *const argv[], int64_t deadline) {
  while (!succeeds(tool, argv)) {
    if (clock_ms() + RETRY_MS > deadline || !worth_another_try(tool)) return false;
    (void)usleep(RETRY_MS * 1000);
  }
  return true;
}

/*
 * Starts a helper that runs TOOL for our pid, waiting at the pipe `go` until we are in the new namespace. It
 * stays in the old namespace, where the tool's file capabilities or set-user-id bit count.
 */
static int helper_start(const char *tool, uint32_t own, const struct subid *ids, int go, int64_t deadline, struct helper *ret) {
  enum { NUMBER = 11 };
  char numbers[3 * (SUBID_MAX + 1) + 1][NUMBER], *argv[3 * (SUBID_MAX + 1) + 3];
  size_t n = 0, a = 0;
  argv[a++] = (char *)tool;
  snprintf(numbers[n++], NUMBER, "%d", (int)getpid());
  uint32_t inside = 0;
  for (size_t i = 0; i <= ids->n; i++) {
    const struct subid_range range = i ? ids->range[i - 1] : (struct subid_range){.first = own, .count = 1};
    snprintf(numbers[n++], NUMBER, "%u", inside);
    snprintf(numbers[n++], NUMBER, "%u", range.first);
    snprintf(numbers[n++], NUMBER, "%u", range.count);
    inside += range.count;
  }
  for (size_t i = 0; i < n; i++) argv[a++] = numbers[i];
  argv[a] = NULL;

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return -errno;
  cleanup_fd int rd = ends[0];
  cleanup_fd int out = ends[1];
  pid_t pid = fork();
  if (pid < 0) return -errno;
  if (pid == 0) {
    char byte;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || read(go, &byte, 1) != 1 || dup2(out, STDERR_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
      _exit(1);
    _exit(helper_work(tool, argv, deadline) ? 0 : 1);
  }
  *ret = (struct helper){.words = steal_fd(&rd), .pid = pid, .tool = tool};
  return 0;
}

/* True when the tool did its work. */
static bool helper_done(const struct helper *h) {
  int status;
  if (h->pid <= 0) return false;
  while (waitpid(h->pid, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* --- the map of the own id alone, which the kernel lets a process write itself --- */

static int write_proc(const char *path, const char *text) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  return write_all(fd, text, strlen(text));
}

static int map_own_id(const char *path, unsigned id) {
  char text[32];
  snprintf(text, sizeof text, "0 %u 1\n", id);
  return write_proc(path, text);
}

/* What a tool has written is not ours to write again: the kernel takes each map once. */
struct done {
  bool uids, gids;
};

static int map_own_ids(uid_t uid, gid_t gid, struct done done, struct err *err) {
  int r = done.uids ? 0 : map_own_id("/proc/self/uid_map", uid);
  if (r < 0) return err_set(err, -r, "user namespace", "write uid_map");
  if (done.gids) return 0;
  /* Without this a process could leave a group that denies it something. */
  if (r == 0) r = write_proc("/proc/self/setgroups", "deny");
  if (r == 0) r = map_own_id("/proc/self/gid_map", gid);
  return r < 0 ? err_set(err, -r, "user namespace", "write gid_map") : 0;
}

/* --- reasons --- */

static void reason_no_ids(const char *user, const char *file, char ret[384]) {
  const unsigned first = subid_first_free(SUBUID, SUBGID);
  snprintf(ret, 384, "%s has no ids in %s: " CONSEQUENCE "; as root: usermod --add-subuids %u-%u --add-subgids %u-%u %s" USERNS_THEN, user,
           file, first, first + 65535, first, first + 65535, user);
}

/* With the first line of what it said. */
static void reason_tool(const struct helper *h, char ret[384]) {
  char words[128];
  ssize_t n = read(h->words, words, sizeof words - 1);
  words[n > 0 ? n : 0] = 0;
  words[strcspn(words, "\n")] = 0;
  const char *mend = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? "the unit must not set NoNewPrivileges="
                                                                 : "install the package uidmap and check that the tool is set-user-id root";
  snprintf(ret, 384, "%s failed (%.90s): " CONSEQUENCE "; %s", h->tool, words, mend);
}

/* --- making --- */

static int unshare_user(struct err *err) {
  if (unshare(CLONE_NEWUSER) == 0) return 0;
  const char *why = errno == ENOSPC  ? "user.max_user_namespaces is used up or 0"
                    : errno == EPERM ? "the system forbids user namespaces (kernel.unprivileged_userns_clone, AppArmor)"
                                     : "unshare";
  return err_set(err, errno, "user namespace", "%s", why);
}

/* Lets both tools map our new namespace. 0: done; 1: they would not, `ret` says why and what of the map is still to do. */
static int make_with_tools(uid_t uid, gid_t gid, const struct subid *uids, const struct subid *gids, int64_t deadline,
                           struct userns_map *ret, struct done *ret_done, struct err *err) {
  int p[2];
  if (pipe2(p, O_CLOEXEC) < 0) return err_set(err, errno, "pipe", "%s", "");
  cleanup_fd int go_rd = p[0];
  cleanup_fd int go_wr = p[1];
  struct helper u = {.words = -1}, g = {.words = -1};
  int r = helper_start("newuidmap", uid, uids, go_rd, deadline, &u);
  if (r < 0) return err_set(err, -r, "fork", "newuidmap");
  r = helper_start("newgidmap", gid, gids, go_rd, deadline, &g);
  if (r < 0) err_set(err, -r, "fork", "newgidmap");
  if (r == 0) r = unshare_user(err);
  if (r == 0 && (r = write_all(go_wr, "gg", 2)) < 0) err_set(err, -r, "pipe", "%s", "");
  if (r < 0) {
    /* They still wait at the pipe, of which each holds the write end too. */
    if (u.pid > 0) kill(u.pid, SIGKILL);
    if (g.pid > 0) kill(g.pid, SIGKILL);
    (void)helper_done(&u);
    (void)helper_done(&g);
  } else {
    ret_done->uids = helper_done(&u);
    ret_done->gids = helper_done(&g);
    r = ret_done->uids && ret_done->gids ? 0 : 1;
    if (r) reason_tool(ret_done->uids ? &g : &u, ret->reason);
  }
  cleanup_fd_p(&u.words);
  cleanup_fd_p(&g.words);
  return r;
}

int userns_make(int64_t deadline, struct userns_map *ret, struct err *err) {
  const uid_t uid = geteuid();
  const gid_t gid = getegid();
  char user[64];
  struct subid uids, gids;
  struct done done = {0};
  *ret = (struct userns_map){0};
  subid_user_name(uid, user);
  int ru = subid_read(SUBUID, user, uid, uid, &uids), rg = subid_read(SUBGID, user, uid, gid, &gids);
  if (ru < 0 || rg < 0 || !uids.n || !gids.n) {
    reason_no_ids(user, ru < 0 || !uids.n ? SUBUID : SUBGID, ret->reason);
    int r = unshare_user(err);
    if (r < 0) return r;
  } else {
    int r = make_with_tools(uid, gid, &uids, &gids, deadline, ret, &done, err);
    if (r <= 0) return r;
  }
  ret->single = true;
  return map_own_ids(uid, gid, done, err);
}

/* --- joining --- */

int userns_open_pause(int run, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(run, "pause.pid", 64, &text, &len);
  if (r < 0) return err_set(err, r == -ENOENT ? ESRCH : -r, "pause", "pause.pid");
  struct proc_id id;
  int pid, end = 0;
  unsigned long long start;
  if (sscanf(text, "%d %llu\n%n", &pid, &start, &end) != 2 || (size_t)end != len)
    return err_set(err, ESRCH, "pause", "pause.pid is not a pid");
  id = (struct proc_id){.pid = pid, .start = start};
  int fd = proc_open(&id);
  return fd < 0 ? err_set(err, -fd, "pause", "pid %d", pid) : fd;
}

/* How many ids a map of ours holds; 0 when it cannot be read. */
static uint64_t map_size(const char *path) {
  cleanup_file FILE *f = fopen(path, "re");
  uint64_t sum = 0;
  unsigned long inside, outside, count;
  while (f && fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3) sum += count;
  return sum;
}

/* With one id setgroups is denied for good; the groups we keep are then the user's own. */
static int become_root(const struct userns_map *map, struct err *err) {
  if (setgroups(0, NULL) < 0 && !(map->single && errno == EPERM)) return err_set(err, errno, "setgroups", "%s", "");
  if (setresgid(0, 0, 0) < 0) return err_set(err, errno, "setresgid", "0");
  if (setresuid(0, 0, 0) < 0) return err_set(err, errno, "setresuid", "0");
  return 0;
}

int userns_join(int pidfd, struct userns_map *ret, struct err *err) {
  *ret = (struct userns_map){0};
  if (setns(pidfd, CLONE_NEWUSER) < 0) return err_set(err, errno, "setns", "user namespace");
  ret->single = map_size("/proc/self/uid_map") <= 1 || map_size("/proc/self/gid_map") <= 1;
  if (ret->single) snprintf(ret->reason, sizeof ret->reason, "the user namespace has one id: " CONSEQUENCE);
  return become_root(ret, err);
}

int userns_enter(struct userns_map *ret, struct err *err) {
  struct err ignored;
  cleanup_fd int run = run_open(&ignored);
  cleanup_fd int pause_fd = run < 0 ? -1 : userns_open_pause(run, &ignored);
  if (pause_fd >= 0) return userns_join(pause_fd, ret, err);
  int r = userns_make(0, ret, err);
  return r < 0 ? r : become_root(ret, err);
}
