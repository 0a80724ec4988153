/* Processes named safely and the runtime folder: see proc.h. */
#include "proc.h"

#include <fcntl.h>
#include <jansson.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* State letter and start time out of /proc/PID/stat (proc(5)): the name in parentheses may hold anything, so count after the last ')'. */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start) {
  char path[32], buf[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? -ESRCH : -errno;
  ssize_t n = read(fd, buf, sizeof buf - 1);
  if (n < 0) return -errno; /* ESRCH when it went between open and read */
  buf[n] = 0;
  char *p = strrchr(buf, ')');
  if (!p || p[1] != ' ') return -EBADMSG;
  p += 2;
  char state = *p;
  for (int field = 3; field < 22; field++) {
    p = strchr(p, ' ');
    if (!p) return -EBADMSG;
    p++;
  }
  char *end;
  errno = 0;
  unsigned long long start = strtoull(p, &end, 10);
  if (errno || end == p || *end != ' ') return -EBADMSG;
  if (ret_state) *ret_state = state;
  *ret_start = start;
  return 0;
}

int proc_start_time(pid_t pid, uint64_t *ret) {
  return pid > 0 ? read_stat(pid, NULL, ret) : -ESRCH;
}

int proc_open(const struct proc_id *id) {
  if (id->pid <= 0) return -ESRCH;
  cleanup_fd int fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
  if (fd < 0) return errno == EINVAL ? -ESRCH : -errno; /* EINVAL: a thread's id */
  /* Checked only now: from here on the pid cannot be given to another process without our descriptor saying that ours ended. */
  char state = 0;
  uint64_t start = 0;
  int r = read_stat(id->pid, &state, &start);
  if (r < 0) return r;
  if (start != id->start || state == 'Z' || state == 'X') return -ESRCH;
  return steal_fd(&fd);
}

static int open_beneath(int dir, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
  int fd;
  do {
    fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
  } while (fd < 0 && (errno == EAGAIN || errno == EINTR)); /* EAGAIN: a rename raced with the walk, openat2(2) */
  return fd < 0 ? -errno : fd;
}

int run_open(struct err *err) {
  const char *base = getenv("XDG_RUNTIME_DIR");
  if (!base || base[0] != '/') return err_set(err, 0, "XDG_RUNTIME_DIR", "is not set to an absolute path; podrt runs in a user session");
  cleanup_fd int dir = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return err_set(err, errno, "open", "%s", base);
  if (mkdirat(dir, "podgen", 0700) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", "%s/podgen", base);
  int fd = open_beneath(dir, "podgen", O_PATH | O_DIRECTORY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (fd < 0) return err_set(err, -fd, "open", "%s/podgen", base);
  return fd;
}

int run_open_at(int run, const char *rel, bool create, struct err *err) {
  const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  if (!*rel || *rel == '/') return err_set(err, EINVAL, "run folder", "%s", rel);
  int fd = open_beneath(run, rel, O_PATH | O_DIRECTORY, resolve);
  if (fd != -ENOENT || !create) return fd < 0 ? err_set(err, -fd, "open", "%s", rel) : fd;

  /* Part by part, each opened before the next is made in it. */
  cleanup_free char *parts = strdup(rel);
  if (!parts) return err_set(err, ENOMEM, "run folder", "%s", rel);
  cleanup_fd int dir = fcntl(run, F_DUPFD_CLOEXEC, 3);
  if (dir < 0) return err_set(err, errno, "dup", "%s", rel);
  char *save = NULL;
  for (char *part = strtok_r(parts, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
    if (mkdirat(dir, part, 0700) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", "%s", rel);
    int next = open_beneath(dir, part, O_PATH | O_DIRECTORY, resolve);
    if (next < 0) return err_set(err, -next, "open", "%s", rel);
    close(dir);
    dir = next;
  }
  return steal_fd(&dir);
}

int run_state_read(int dir, struct run_state *ret, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(dir, "state.json", 64 * 1024, &text, &len);
  if (r < 0) return err_set(err, -r, "state.json", "%s", "");
  json_t *root = json_loadb(text, len, 0, NULL);
  json_int_t pid = 0, started = 0;
  const char *start = NULL, *digest = "";
  struct run_state state = {0};
  r = 0;
  if (!root || json_unpack(root, "{s:I, s:s, s?s, s?I}", "pid", &pid, "startTime", &start, "digest", &digest, "startedAt", &started) < 0 ||
      pid <= 0 || pid > INT32_MAX || strlen(digest) >= sizeof state.digest) {
    r = err_set(err, EBADMSG, "state.json", "%s", "");
  } else {
    char *end;
    state.id = (struct proc_id){.pid = (pid_t)pid, .start = strtoull(start, &end, 10)};
    state.started_at = started;
    strcpy(state.digest, digest);
    if (end == start || *end) r = err_set(err, EBADMSG, "state.json", "startTime");
  }
  json_decref(root);
  if (r == 0) *ret = state;
  return r;
}

int run_state_write(int dir, const struct run_state *state, struct err *err) {
  /* Digests are of hexadecimal, with a name before a colon at most: nothing that JSON would have to escape. */
  if (state->digest[strspn(state->digest, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:._+=-")])
    return err_set(err, EINVAL, "state.json", "digest");
  char text[256];
  int len = snprintf(text, sizeof text, "{\"pid\":%d,\"startTime\":\"%llu\",\"digest\":\"%s\",\"startedAt\":%lld}\n", (int)state->id.pid,
                     (unsigned long long)state->id.start, state->digest, (long long)state->started_at);
  int r = write_file_atomic_at(dir, "state.json", text, (size_t)len, 0600);
  return r < 0 ? err_set(err, -r, "write", "state.json") : 0;
}
