/*
 * For the tests of oci/mounts*.c: a container in namespaces of our own, looked at from within. A test program ends with
 * `return trials(all, as_root)`.
 */
#pragma once
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "expect.h"
#include "oci/mounts.h"

static char base[] = "/tmp/podrt-oci-mounts-XXXXXX";

enum { ALL = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP };

static inline int write_text(const char *path, const char *text) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

/* Who is root here stays so, in a user namespace below. */
static inline bool become_root(unsigned uid, unsigned gid) {
  char map[32];
  snprintf(map, sizeof map, "0 %u 1", uid);
  if (write_text("/proc/self/setgroups", "deny") < 0 || write_text("/proc/self/uid_map", map) < 0) return false;
  snprintf(map, sizeof map, "0 %u 1", gid);
  return write_text("/proc/self/gid_map", map) == 0;
}

static inline void run_shell(const char *script) {
  int status = system(script);
  if (status) fprintf(stderr, "status %d: %s\n", status, script);
  EXPECT(status == 0);
}

/* --- a container --- */

struct trial {
  const char *mounts;        /* JSON list, without the brackets */
  const char *linux_members; /* more of "linux", with a comma in front; or NULL */
  bool userns, no_pivot, read_only, terminal;
  unsigned host_id;               /* of its user 0, with userns */
  unsigned shares;                /* CLONE_NEW... of namespaces that are the host's */
  bool (*check)(const void *arg); /* in the container; or NULL */
  const void *arg;
  const char *fails; /* what the error says */
};

static struct err last_error;

static inline int inside(struct oci_mounts *m, const struct trial *t, struct err *err) {
  int r = oci_mounts_make(m, err);
  if (r == 0 && t->terminal) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) return -errno;
    cleanup_fd int slave = open("/dev/null", O_RDWR | O_CLOEXEC); /* any device will do */
    r = oci_mounts_console(m, slave, err);
  }
  return r == 0 ? oci_mounts_enter(m, err) : r;
}

/* The container's first process; its report goes to `sock`. */
static inline void live(struct oci_mounts *m, const struct trial *t, int sock) {
  struct err err = {0};
  char byte;
  if (read(sock, &byte, 1) != 1 || (t->userns && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))) _exit(90);
  int r = inside(m, t, &err);
  if (r < 0) {
    (void)!write(sock, &err, sizeof err);
    _exit(91);
  }
  _exit(t->check && !t->check(t->arg) ? 92 : 0);
}

static const struct {
  unsigned flag;
  const char *name;
} namespaces[] = {
    {CLONE_NEWPID, "pid"}, {CLONE_NEWNET, "network"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"}, {CLONE_NEWCGROUP, "cgroup"}};

static inline char *make_config(const struct trial *t) {
  char list[512] = "{\"type\":\"mount\"}", maps[256] = "";
  for (size_t i = 0; i < N_ELEMENTS(namespaces); i++)
    if (!(t->shares & namespaces[i].flag))
      snprintf(list + strlen(list), sizeof list - strlen(list), ",{\"type\":\"%s\"}", namespaces[i].name);
  if (t->userns) {
    strcat(list, ",{\"type\":\"user\"}");
    snprintf(
        maps, sizeof maps,
        ",\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}]",
        t->host_id, t->host_id);
  }
  return xformat(
      "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"rootfs\",\"readonly\":%s},\"mounts\":[%s],\"linux\":{\"namespaces\":[%s]%s%s}}",
      t->read_only ? "true" : "false", t->mounts, list, maps, t->linux_members ? t->linux_members : "");
}

static inline bool write_maps(pid_t pid, unsigned id) {
  char path[64], map[32];
  snprintf(map, sizeof map, "0 %u 1", id);
  snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
  if (write_text(path, map) < 0) return false;
  snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
  return write_text(path, map) == 0;
}

static inline int start(struct oci_mounts *m, const struct trial *t) {
  int ends[2], status = -1, r = 0;
  const unsigned flags = (ALL & ~t->shares) | CLONE_NEWNS | (t->userns ? CLONE_NEWUSER : 0);
  EXPECT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  fflush(NULL);
  const pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) live(m, t, ends[1]);
  close(ends[1]);
  EXPECT(pid > 0 && (!t->userns || write_maps(pid, t->host_id)) && write(ends[0], "", 1) == 1);
  EXPECT(waitpid(pid, &status, 0) == pid);
  struct err err;
  if (read(ends[0], &err, sizeof err) == sizeof err) {
    last_error = err;
    r = err.code ? -err.code : -EINVAL;
  } else if (status) {
    err_set(&last_error, 0, "check", "status %d", WEXITSTATUS(status));
    r = -ECHILD;
  }
  close(ends[0]);
  return r;
}

/* 0, or the error; last_error has its words. */
static inline int run(const struct trial *t) {
  cleanup_free char *text = make_config(t);
  struct oci_spec spec;
  last_error = (struct err){0};
  int r = oci_spec_parse(text, strlen(text), &spec, &last_error);
  if (r < 0) return r;
  /* The bundle is here; that is not what makes it found. */
  cleanup_fd int bundle = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT(bundle >= 0 && chdir("/") == 0);
  struct oci_mounts m = {.spec = &spec, .bundle = bundle, .new_userns = t->userns, .no_pivot = t->no_pivot, .root = -1, .devpts = -1};
  r = oci_mounts_prepare(&m, &last_error);
  if (r == 0) {
    r = start(&m, t);
    oci_mounts_release(&m);
  }
  EXPECT(fchdir(bundle) == 0);
  oci_spec_free(&spec);
  return r;
}

static inline void try_run(const struct trial *t, const char *what) {
  const int r = run(t);
  const bool ok = t->fails ? r < 0 && r != -ECHILD && strstr(last_error.what, t->fails) : r == 0;
  if (!ok) fprintf(stderr, "%s: %d %s: %s: %s\n", what, r, last_error.step, last_error.what, strerror(last_error.code));
  EXPECT(ok);
}

/* --- mountinfo --- */

/* The fields of the topmost mount at `path`, as "OPTIONS PROPAGATION - TYPE SOURCE SUPER". */
static inline bool look(const char *path, char ret[1024]) {
  cleanup_file FILE *f = fopen("/proc/self/mountinfo", "re");
  cleanup_free char *line = NULL;
  size_t room = 0;
  char at[1024];
  bool found = false;
  while (f && getline(&line, &room, f) > 0) {
    int rest = 0;
    if (sscanf(line, "%*d %*d %*s %*s %1023s %n", at, &rest) != 1 || strcmp(at, path)) continue;
    snprintf(ret, 1024, "%s", line + rest);
    found = true;
  }
  return found;
}

static inline bool has_word(const char *list, const char *word) {
  const size_t len = strlen(word);
  for (const char *p = list; (p = strstr(p, word)); p += len)
    if ((p == list || strchr(" ,", p[-1])) && strchr(" ,:\n", p[len])) return true;
  return false;
}

/* "PATH word word !word": words of mountinfo's line that are there, or not. */
static inline bool has_options(const void *arg) {
  char line[1024];
  cleanup_free char *copy = strdup(arg);
  char *save, *path = strtok_r(copy, " ", &save);
  if (!look(path, line)) return false;
  bool ok = true;
  for (char *word; (word = strtok_r(NULL, " ", &save));) ok = ok && has_word(line, word + (*word == '!')) == (*word != '!');
  if (!ok) fprintf(stderr, "wanted: %s\nfound: %s", (const char *)arg, line);
  return ok;
}

#define PROC "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
#define DEV              \
  "{\"destination\":\"/" \
  "dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]}"
#define TMPFS(options) PROC ",{\"destination\":\"/t\",\"type\":\"tmpfs\",\"source\":\"T\",\"options\":[" options "]}"
#define BIND(source, options) PROC ",{\"destination\":\"/t\",\"type\":\"none\",\"source\":\"" source "\",\"options\":[" options "]}"

/* --- what is there --- */

static inline bool is_node(const char *path, unsigned major_number, unsigned minor_number) {
  struct stat st;
  return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major_number, minor_number);
}

static inline bool is_link(const char *path, const char *want) {
  char target[256];
  const ssize_t n = readlink(path, target, sizeof target - 1);
  return n == (ssize_t)strlen(want) && !memcmp(target, want, (size_t)n);
}

static inline bool refuses(const char *path, int flags, int code) {
  cleanup_fd int fd = open(path, flags | O_CLOEXEC, 0644);
  return fd < 0 && errno == code;
}

/* Says which part does not hold. */
#define HOLDS(condition) \
  if (!(condition)) return fprintf(stderr, "%s:%d: in the container, not true: %s (%m)\n", __FILE__, __LINE__, #condition), false

static inline bool reads(const char *path, const char *want) {
  cleanup_free char *text = NULL;
  return read_file_at(AT_FDCWD, path, 4096, &text, NULL) == 0 && !strcmp(text, want);
}

/* --- the tests' namespaces --- */

static inline bool make_base(void) {
  cleanup_free char *script = xformat(
      "mount -t tmpfs -o mode=755 base %s && cd %s && mkdir -p bundle/rootfs/proc bundle/rootfs/t src && mount -t tmpfs -o "
      "nosuid,nodev,noexec,noatime src src && mkdir src/below src/proc src/dev && echo content > src/file && mount -t tmpfs -o "
      "nosuid,nodev,noexec below src/below && touch src/below/other && cd bundle",
      base, base);
  return system(script) == 0 && chdir(base) == 0 && chdir("bundle") == 0;
}

/* In a user namespace of one id, with its own mounts. */
static inline int as_user(int tests(void)) {
  const unsigned uid = getuid(), gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !become_root(uid, gid) || !make_base()) {
    perror("namespace");
    return 1;
  }
  return tests();
}

/* Only where mknod(2) is allowed and ids can be mapped. */
static inline int as_root(int tests(void)) {
  if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !make_base()) return 0;
  return mknod("../try", S_IFCHR | 0600, makedev(1, 3)) < 0 ? 0 : tests();
}

static inline int in_child(int place(int tests(void)), int tests(void)) {
  fflush(NULL);
  const pid_t pid = fork();
  if (pid == 0) exit(place(tests));
  int status = 1;
  (void)waitpid(pid, &status, 0);
  return status != 0;
}

/* Both, each in a process of its own. `of_root` may be NULL. Returns main's exit code. */
static inline int trials(int of_user(void), int of_root(void)) {
  if (!mkdtemp(base)) return 1;
  const int r = in_child(as_user, of_user) | (of_root ? in_child(as_root, of_root) : 0);
  (void)rmdir(base);
  return r;
}
