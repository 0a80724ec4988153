/* File systems of OCI containers in namespaces of our own: options read back from mountinfo, devices, sysctl, hostile roots. */
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

static int write_text(const char *path, const char *text) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

/* Who is root here stays so, in a user namespace below. */
static bool become_root(unsigned uid, unsigned gid) {
  char map[32];
  snprintf(map, sizeof map, "0 %u 1", uid);
  if (write_text("/proc/self/setgroups", "deny") < 0 || write_text("/proc/self/uid_map", map) < 0) return false;
  snprintf(map, sizeof map, "0 %u 1", gid);
  return write_text("/proc/self/gid_map", map) == 0;
}

static void run_shell(const char *script) {
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

static int inside(struct oci_mounts *m, const struct trial *t, struct err *err) {
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
static void live(struct oci_mounts *m, const struct trial *t, int sock) {
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

static char *make_config(const struct trial *t) {
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

static bool write_maps(pid_t pid, unsigned id) {
  char path[64], map[32];
  snprintf(map, sizeof map, "0 %u 1", id);
  snprintf(path, sizeof path, "/proc/%d/uid_map", (int)pid);
  if (write_text(path, map) < 0) return false;
  snprintf(path, sizeof path, "/proc/%d/gid_map", (int)pid);
  return write_text(path, map) == 0;
}

static int start(struct oci_mounts *m, const struct trial *t) {
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
static int run(const struct trial *t) {
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

static void try_run(const struct trial *t, const char *what) {
  const int r = run(t);
  const bool ok = t->fails ? r < 0 && r != -ECHILD && strstr(last_error.what, t->fails) : r == 0;
  if (!ok) fprintf(stderr, "%s: %d %s: %s: %s\n", what, r, last_error.step, last_error.what, strerror(last_error.code));
  EXPECT(ok);
}

/* --- mountinfo --- */

/* The fields of the topmost mount at `path`, as "OPTIONS PROPAGATION - TYPE SOURCE SUPER". */
static bool look(const char *path, char ret[1024]) {
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

static bool has_word(const char *list, const char *word) {
  const size_t len = strlen(word);
  for (const char *p = list; (p = strstr(p, word)); p += len)
    if ((p == list || strchr(" ,", p[-1])) && strchr(" ,:\n", p[len])) return true;
  return false;
}

/* "PATH word word !word": words of mountinfo's line that are there, or not. */
static bool has_options(const void *arg) {
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

/* `src` is nosuid,nodev,noexec,noatime in the host's view, and so is src/below. */
static const struct {
  const char *mounts, *want;
} option_cases[] = {
    {TMPFS("\"mode=700\""), "/t rw relatime !nosuid tmpfs T mode=700"},
    {TMPFS("\"ro\",\"nosuid\",\"nodev\",\"noexec\""), "/t ro nosuid nodev noexec"},
    {TMPFS("\"ro\",\"rw\",\"nosuid\",\"suid\",\"nodev\",\"dev\",\"noexec\",\"exec\""), "/t rw !ro !nosuid !nodev !noexec"},
    {TMPFS("\"noatime\""), "/t noatime"},
    {TMPFS("\"noatime\",\"atime\""), "/t !noatime relatime"},
    {TMPFS("\"strictatime\""), "/t !noatime !relatime"},
    {TMPFS("\"strictatime\",\"nostrictatime\""), "/t relatime"},
    {TMPFS("\"nodiratime\""), "/t nodiratime"},
    {TMPFS("\"nosymfollow\""), "/t nosymfollow"},
    {TMPFS("\"sync\",\"dirsync\",\"lazytime\""), "/t sync dirsync lazytime"},
    {TMPFS("\"sync\",\"async\",\"silent\",\"loud\",\"iversion\",\"noiversion\",\"defaults\",\"x-any=thing\""), "/t rw !sync"},
    {TMPFS("\"shared\""), "/t rw shared"},
    {TMPFS("\"size=64k\",\"nr_inodes=9\",\"uid=0\",\"mode=1777\""), "/t size=64k nr_inodes=9"},
    {BIND("../src", "\"bind\""), "/t nosuid nodev noexec noatime rw"},
    {BIND("../src", "\"bind\",\"ro\""), "/t ro nosuid nodev noexec noatime"},
    {BIND("../src", "\"bind\",\"suid\",\"dev\",\"exec\",\"relatime\""), "/t !nosuid !nodev !noexec !noatime relatime rw"},
    {BIND("../src", "\"rbind\",\"ro\""), "/t/below rw"},
    {BIND("../src", "\"rbind\",\"rro\""), "/t/below ro nosuid"},
    {BIND("../src", "\"rbind\",\"rsuid\",\"rdev\",\"rexec\",\"ratime\",\"rnosymfollow\""),
     "/t/below !nosuid !nodev !noexec relatime nosymfollow"},
    {BIND("../src", "\"rbind\",\"suid\""), "/t/below nosuid"},
    {BIND("../src", "\"rbind\",\"suid\""), "/t !nosuid"},
};

static void test_options(void) {
  for (size_t i = 0; i < N_ELEMENTS(option_cases); i++) {
    const struct trial t = {.mounts = option_cases[i].mounts, .check = has_options, .arg = option_cases[i].want};
    try_run(&t, option_cases[i].mounts);
  }
}

/* --- the configuration of `runc spec` --- */

#define STANDARD                                                                                                                          \
  PROC "," DEV                                                                                                                            \
       ",{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\",\"options\":[\"nosuid\",\"noexec\",\"newinstance\","     \
       "\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]}"                                                                                      \
       ",{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\"," \
       "\"size=65536k\"]}"                                                                                                                \
       ",{\"destination\":\"/dev/mqueue\",\"type\":\"mqueue\",\"source\":\"mqueue\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]}"       \
       ",{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]}"         \
       ",{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\",\"source\":\"cgroup\",\"options\":[\"nosuid\",\"noexec\",\"nodev\","     \
       "\"relatime\",\"ro\"]}"
#define MASKS                                                                                                                \
  ",\"maskedPaths\":[\"/proc/acpi\",\"/proc/version\",\"/proc/keys\",\"/proc/timer_list\",\"/proc/scsi\",\"/sys/firmware\"," \
  "\"/nowhere\"],\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]"

static bool is_node(const char *path, unsigned major_number, unsigned minor_number) {
  struct stat st;
  return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major_number, minor_number);
}

static bool is_link(const char *path, const char *want) {
  char target[256];
  const ssize_t n = readlink(path, target, sizeof target - 1);
  return n == (ssize_t)strlen(want) && !memcmp(target, want, (size_t)n);
}

static bool refuses(const char *path, int flags, int code) {
  cleanup_fd int fd = open(path, flags | O_CLOEXEC, 0644);
  return fd < 0 && errno == code;
}

/* Says which part does not hold. */
#define HOLDS(condition) \
  if (!(condition)) return fprintf(stderr, "%s:%d: in the container, not true: %s (%m)\n", __FILE__, __LINE__, #condition), false

static bool is_standard(const void *arg) {
  struct stat st;
  char byte, line[1024];
  HOLDS(is_node("/dev/null", 1, 3) && is_node("/dev/zero", 1, 5) && is_node("/dev/full", 1, 7) && is_node("/dev/random", 1, 8));
  HOLDS(is_node("/dev/urandom", 1, 9) && is_node("/dev/tty", 5, 0));
  HOLDS(stat("/dev/null", &st) == 0 && (st.st_mode & 07777) == 0666);
  HOLDS(is_link("/dev/fd", "/proc/self/fd") && is_link("/dev/stdin", "/proc/self/fd/0") && is_link("/dev/ptmx", "pts/ptmx"));
  HOLDS(is_link("/dev/core", "/proc/kcore") && is_node("/dev/pts/ptmx", 5, 2));
  HOLDS(has_options("/dev/shm nosuid nodev noexec tmpfs shm") && has_options("/dev/mqueue mqueue") && has_options("/proc proc"));
  HOLDS(has_options("/sys ro nosuid") && has_options("/dev nosuid size=65536k !relatime") && look("/sys/fs/cgroup", line));
  HOLDS(has_options("/sys/fs/cgroup ro nosuid noexec nodev"));
  HOLDS(stat("/dev/shm", &st) == 0 && (st.st_mode & 07777) == 01777);
  cleanup_fd int masked = open("/proc/version", O_RDONLY | O_CLOEXEC);
  HOLDS(masked >= 0 && read(masked, &byte, 1) == 0);
  HOLDS(has_options("/proc/sys ro proc") && has_options("/proc/irq ro proc") && has_options("/proc rw"));
  HOLDS(refuses("/sys/firmware/x", O_WRONLY | O_CREAT, EROFS) && access("/host", F_OK) < 0);
  cleanup_fd int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  HOLDS(null >= 0 && write(null, "x", 1) == 1);
  HOLDS(getpid() == 1 && access("/proc/1/status", R_OK) == 0);
  HOLDS(!arg || refuses("/new", O_WRONLY | O_CREAT, EROFS));
  return true;
}

static bool has_console(const void *arg) {
  return is_node("/dev/console", 1, 3) && is_standard(arg);
}

static void test_standard(void) {
  for (int i = 0; i < 8; i++) {
    const struct trial t = {.mounts = STANDARD,
                            .linux_members = MASKS,
                            .userns = i & 1,
                            .no_pivot = i & 2,
                            .read_only = i & 4,
                            .check = i & 2 ? is_standard : has_console,
                            .terminal = !(i & 2),
                            .arg = i & 4 ? "" : NULL};
    try_run(&t, i & 1 ? "standard, user namespace" : "standard");
  }
}

/* --- what may not be mounted --- */

static void test_refused(void) {
  static const struct {
    const char *before, *mounts, *fails, *after;
  } cases[] = {
      {NULL, "{\"destination\":\"/proc\",\"type\":\"tmpfs\",\"source\":\"x\"}", "only proc", NULL},
      {NULL, "{\"destination\":\"/./proc//\",\"type\":\"tmpfs\",\"source\":\"x\",\"options\":[\"mode=700\"]}", "only proc", NULL},
      {NULL, "{\"destination\":\"/proc\",\"type\":\"none\",\"source\":\"../src\",\"options\":[\"bind\"]}", "not of type proc", NULL},
      {NULL, PROC ",{\"destination\":\"/proc/sys\",\"type\":\"tmpfs\",\"source\":\"x\"}", "inside /proc", NULL},
      {NULL, PROC ",{\"destination\":\"/proc/self/attr\",\"source\":\"../src\",\"options\":[\"bind\"]}", "inside /proc", NULL},
      {NULL, PROC ",{\"destination\":\"/proc/version\",\"source\":\"../src/file\",\"options\":[\"bind\"]}", "inside /proc", NULL},
      {"ln -s /proc/sys rootfs/hidden", PROC ",{\"destination\":\"/hidden\",\"type\":\"tmpfs\",\"source\":\"x\"}", "inside /proc",
       "rm rootfs/hidden"},
      {"ln -s proc/cpuinfo rootfs/hidden", PROC ",{\"destination\":\"/hidden\",\"source\":\"../src/file\",\"options\":[\"bind\"]}",
       "inside /proc", "rm rootfs/hidden"},
      {"mv rootfs/proc rootfs/p; ln -s /p rootfs/proc", PROC, "plain folder", "rm rootfs/proc; mv rootfs/p rootfs/proc"},
      {"mv rootfs/proc rootfs/p; echo > rootfs/proc", PROC, "plain folder", "rm rootfs/proc; mv rootfs/p rootfs/proc"},
      {"rm -r rootfs/sys; ln -s / rootfs/sys", "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\"}", "plain folder",
       "rm rootfs/sys"},
      {"mkdir rootfs/a; ln -s / rootfs/a/sys", "{\"destination\":\"/a/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\"}", "plain folder",
       "rm -r rootfs/a"},
      {NULL, "{\"destination\":\"/t\",\"source\":\"../nowhere\",\"options\":[\"bind\"]}", "nowhere", NULL},
      {NULL, "{\"destination\":\"/t\",\"options\":[\"bind\"]}", "source", NULL},
      {NULL, "{\"destination\":\"/t\"}", "neither a type", NULL},
      {NULL, "{\"destination\":\"/t\",\"type\":\"no-such-fs\"}", "no-such-fs", NULL},
      {NULL, "{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"no_such_option\"]}", "no_such_option", NULL},
      {"touch rootfs/t/f", "{\"destination\":\"/t/f\",\"type\":\"tmpfs\"}", "/t/f", "rm rootfs/t/f"},
      {NULL, "{\"destination\":\"/t\",\"type\":\"none\",\"source\":\"../src\",\"options\":[\"bind\",\"idmap\"]}", "mappings", NULL},
      {NULL, "{\"destination\":\"/t\",\"type\":\"none\",\"source\":\"../src\",\"options\":[\"bind\",\"idmap=uids=junk;gids=0-0-1\"]}",
       "Mappings", NULL},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    if (cases[i].before) run_shell(cases[i].before);
    const struct trial t = {.mounts = cases[i].mounts, .fails = cases[i].fails};
    try_run(&t, cases[i].mounts);
    if (cases[i].after) run_shell(cases[i].after);
  }
}

/* --- what a mount may also be --- */

static bool reads(const char *path, const char *want) {
  cleanup_free char *text = NULL;
  return read_file_at(AT_FDCWD, path, 4096, &text, NULL) == 0 && !strcmp(text, want);
}

static bool has_cpuinfo(const void *arg) {
  (void)arg;
  HOLDS(reads("/proc/cpuinfo", "content\n"));
  return true;
}

/* Links of the image lead where they lead in the container: never out of it. */
static bool has_followed(const void *arg) {
  char line[1024];
  (void)arg;
  HOLDS(look("/inner/etc", line) && look("/inner/dangling", line) && reads("/inner/file", "content\n"));
  HOLDS(access("/inner/etc/mark", F_OK) == 0);
  return true;
}

static bool has_copied(const void *arg) {
  struct stat st;
  (void)arg;
  HOLDS(reads("/full/f", "f\n") && reads("/full/d/g", "g\n") && is_link("/full/l", "f") && has_options("/full ro tmpfs"));
  HOLDS(stat("/full/f", &st) == 0 && (st.st_mode & 07777) == 0640 && stat("/full", &st) == 0 && (st.st_mode & 07777) == 0750);
  HOLDS(is_link("/etc/made", "file") && has_options("/full2 rw mode=750"));
  return true;
}

static bool has_new_root(const void *arg) {
  (void)arg;
  HOLDS(reads("/file", "content\n") && access("/inner", F_OK) < 0 && is_node("/dev/null", 1, 3));
  return true;
}

static bool has_nothing(const void *arg) {
  (void)arg;
  HOLDS(access("/t/f", F_OK) == 0);
  return true;
}

static void test_places(void) {
  run_shell(
      "mkdir -p rootfs/inner rootfs/full/d; ln -s ../../../../inner/etc rootfs/esc; ln -s /inner/dangling rootfs/esc2;"
      "ln -s /../../inner/file rootfs/esc3; echo f > rootfs/full/f; chmod 640 rootfs/full/f; echo g > rootfs/full/d/g; ln -s f "
      "rootfs/full/l; chmod 750 rootfs/full; mkdir -m 750 rootfs/full2; mkdir ../src2; touch ../src2/mark; ln -s file ../src/link");
  static const struct trial trials[] = {
      {.mounts = PROC ",{\"destination\":\"/proc/cpuinfo\",\"source\":\"../src/file\",\"options\":[\"bind\"]}", .check = has_cpuinfo},
      {.mounts =
           PROC ",{\"destination\":\"/esc\",\"source\":\"../src2\",\"options\":[\"rbind\"]},{\"destination\":\"esc2\",\"type\":\"tmpfs\"},"
                "{\"destination\":\"/esc3\",\"source\":\"../src/file\",\"options\":[\"bind\"]}",
       .check = has_followed},
      {.mounts =
           PROC ",{\"destination\":\"/full\",\"type\":\"tmpfs\",\"options\":[\"tmpcopyup\",\"ro\"]},{\"destination\":\"/full2\",\"type\":"
                "\"tmpfs\"},{\"destination\":\"/etc/made\",\"source\":\"../src/link\",\"options\":[\"bind\",\"copy-symlink\"]}",
       .check = has_copied},
      {.mounts = TMPFS("\"mode=700\"") ",{\"destination\":\"/t\",\"options\":[\"remount\",\"ro\",\"nosuid\"]}",
       .check = has_options,
       .arg = "/t ro nosuid"},
      {.mounts = TMPFS("\"mode=700\"") ",{\"destination\":\"/t\",\"type\":\"tmpfs\",\"options\":[\"remount\",\"size=128k\"]}",
       .check = has_options,
       .arg = "/t rw size=128k"},
      {.mounts = "{\"destination\":\"/\",\"source\":\"../src\",\"options\":[\"bind\",\"dev\"]}," PROC "," DEV, .check = has_new_root},
      {.mounts = PROC ",{\"destination\":\"/t/f\",\"source\":\"/dev/null\",\"options\":[\"bind\"]}", .check = has_nothing},
      /* A read-only tmpfs still takes what is mounted in it. */
      {.mounts = TMPFS("\"ro\"") ",{\"destination\":\"/t/f\",\"source\":\"/dev/null\",\"options\":[\"bind\"]}", .check = has_nothing},
  };
  for (size_t i = 0; i < N_ELEMENTS(trials); i++)
    for (int userns = 0; userns < 2; userns++) {
      struct trial t = trials[i];
      t.userns = userns;
      try_run(&t, trials[i].mounts);
      run_shell("rm -rf rootfs/etc rootfs/t/f rootfs/inner/*");
    }
  EXPECT(access("../inner", F_OK) < 0 && access("/inner", F_OK) < 0);
  run_shell("rm -rf rootfs/esc* ../src2");
}

static bool is_mapped(const void *arg) {
  struct stat st;
  (void)arg;
  HOLDS(stat("/t/file", &st) == 0 && st.st_uid == 0 && stat("/t/below/other", &st) == 0);
  return true;
}

/* Our namespace has one id: the map of ids is the identity, and what is tried is that the kernel takes it. */
static void test_idmap(void) {
  static const char *const mounts[] = {
      BIND("../src", "\"rbind\",\"idmap=uids=0-0-1;gids=0-0-1\""), BIND("../src", "\"rbind\",\"ridmap=uids=0-0-1;gids=0-0-1\""),
      PROC
      ",{\"destination\":\"/t\",\"source\":\"../src\",\"options\":[\"rbind\",\"idmap\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":0,"
      "\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}]}"};
  for (size_t i = 0; i < N_ELEMENTS(mounts); i++) {
    const struct trial t = {.mounts = mounts[i], .check = is_mapped};
    try_run(&t, mounts[i]);
  }
  const struct trial own = {.mounts = BIND("../src", "\"rbind\",\"ridmap\""), .userns = true, .check = is_mapped};
  try_run(&own, "idmap of the container's");
}

static void test_propagation(void) {
  static const struct {
    const char *value, *want;
  } cases[] = {{"shared", "/ shared !master"}, {"rshared", "/ shared !master"},  {"slave", "/ master !shared"},
               {"rslave", "/ master !shared"}, {"private", "/ !shared !master"}, {"unbindable", "/ unbindable"},
               {"runbindable", "/ unbindable"}};
  run_shell("mount --make-shared .. && mount --make-shared ../src");
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    cleanup_free char *members = xformat(",\"rootfsPropagation\":\"%s\"", cases[i].value);
    const struct trial t = {.mounts = PROC, .linux_members = members, .check = has_options, .arg = cases[i].want};
    try_run(&t, cases[i].value);
  }
  static const struct {
    const char *mounts, *want;
  } binds[] = {{BIND("../src", "\"rbind\""), "/t !shared !master"},
               {BIND("../src", "\"rbind\",\"rslave\""), "/t master !shared"},
               {BIND("../src", "\"rbind\",\"rshared\""), "/t shared !master"},
               {BIND("../src", "\"bind\",\"shared\""), "/t shared !master"},
               {BIND("../src", "\"rbind\",\"private\""), "/t !shared !master"}};
  for (size_t i = 0; i < N_ELEMENTS(binds); i++) {
    const struct trial t = {.mounts = binds[i].mounts, .check = has_options, .arg = binds[i].want};
    try_run(&t, binds[i].mounts);
  }
  const struct trial lesser = {.mounts = binds[2].mounts, .userns = true, .check = has_options, .arg = "/t shared master"};
  try_run(&lesser, "rshared in a user namespace");
  /* Nothing came back to us. */
  char line[1024];
  cleanup_free char *proc = xformat("%s/bundle/rootfs/proc", base);
  EXPECT(!look(proc, line));
  run_shell("mount --make-private .. && mount --make-private ../src");
}

/* --- devices and sysctl --- */

static bool has_devices(const void *arg) {
  struct stat st;
  (void)arg;
  HOLDS(stat("/dev/pipe", &st) == 0 && S_ISFIFO(st.st_mode) && (st.st_mode & 07777) == 0622);
  HOLDS(is_node("/dev/tty", 5, 0) && is_node("/dev/null", 1, 3) && stat("/run/x/pipe", &st) == 0 && S_ISFIFO(st.st_mode));
  return true;
}

static bool has_sysctl(const void *arg) {
  char name[65];
  (void)arg;
  HOLDS(reads("/proc/sys/net/ipv4/ip_forward", "1\n") && reads("/proc/sys/kernel/shm_rmid_forced", "1\n"));
  HOLDS(getdomainname(name, sizeof name) == 0 && !strcmp(name, "example.org"));
  return true;
}

static void test_devices(void) {
  static const struct trial trials[] = {
      {.mounts = PROC "," DEV,
       .linux_members =
           ",\"devices\":[{\"path\":\"/dev/pipe\",\"type\":\"p\",\"fileMode\":402},{\"path\":\"/run/x/pipe\",\"type\":\"p\"},{\"path\":"
           "\"/dev/tty\",\"type\":\"c\",\"major\":5,\"minor\":0}]",
       .check = has_devices},
      {.mounts = PROC "," DEV, .linux_members = ",\"devices\":[{\"path\":\"/t\",\"type\":\"p\"}]", .fails = "something else"},
      {.mounts = PROC "," DEV,
       .linux_members = ",\"devices\":[{\"path\":\"/dev/zero\",\"type\":\"c\",\"major\":1,\"minor\":9}]",
       .fails = "/dev/zero"},
      {.mounts = PROC,
       .linux_members =
           ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\",\"kernel.shm_rmid_forced\":\"1\",\"kernel.domainname\":\"example.org\"}" MASKS,
       .check = has_sysctl},
      {.mounts = PROC, .linux_members = ",\"sysctl\":{\"net.no_such\":\"1\"}", .fails = "no_such"},
      {.mounts = PROC, .linux_members = ",\"sysctl\":{\"net/ipv4/conf/lo/forwarding\":\"1\",\"net.ipv6.conf.lo.forwarding\":\"0\"}"},
      {.mounts = PROC, .linux_members = ",\"sysctl\":{\"net/../kernel/panic\":\"1\"}", .fails = "no such key"},
      {.mounts = PROC, .linux_members = ",\"sysctl\":{\"net.\":\"1\"}", .fails = "no such key"},
      {.mounts = PROC, .linux_members = ",\"sysctl\":{\"kernel.panic\":\"1\"}", .fails = "not of a namespace"},
      {.mounts = PROC, .linux_members = ",\"sysctl\":{\"kernel.shm_rmid_forcedx\":\"1\"}", .fails = "not of a namespace"},
      {.mounts = "{\"destination\":\"/proc\",\"type\":\"proc\",\"options\":[\"ro\"]}",
       .linux_members = ",\"sysctl\":{\"fs.mqueue.msg_max\":\"20\",\"kernel.hostname\":\"h\"}"},
  };
  for (size_t i = 0; i < N_ELEMENTS(trials); i++)
    for (int userns = 0; userns < 2; userns++) {
      struct trial t = trials[i];
      t.userns = userns;
      try_run(&t, trials[i].linux_members);
    }
  run_shell("rm -rf rootfs/run");
}

/* Without a mount there, the nodes go into the image's own /dev, around what it has. */
static bool has_image_dev(const void *arg) {
  (void)arg;
  HOLDS(is_node("/dev/null", 1, 3) && is_node("/dev/zero", 1, 5) && is_link("/dev/ptmx", "pts/ptmx") && is_link("/dev/fd", "elsewhere"));
  return true;
}

static void test_image_dev(void) {
  run_shell("rm -r rootfs/dev; mkdir rootfs/dev; echo junk > rootfs/dev/null; echo junk > rootfs/dev/ptmx; ln -s elsewhere rootfs/dev/fd");
  const struct trial t = {.mounts = PROC, .check = has_image_dev};
  try_run(&t, "the image's /dev");
  EXPECT(reads("rootfs/dev/null", "junk\n"));
  run_shell("rm -rf rootfs/dev; mkdir rootfs/dev");
  const struct trial hosts = {.mounts = PROC ",{\"destination\":\"/dev\",\"source\":\"/dev\",\"options\":[\"rbind\"]}", .check = NULL};
  try_run(&hosts, "the host's /dev");
  EXPECT(access("/dev/core", F_OK) < 0 || errno != ENOENT);
}

/* --- namespaces of the host --- */

static bool has_hosts(const void *arg) {
  char line[1024];
  (void)arg;
  HOLDS(has_options("/proc proc") && has_options("/sys ro sysfs") && look("/sys/fs/cgroup", line));
  HOLDS(access("/proc/self/status", R_OK) == 0 && access("/sys/class", F_OK) == 0);
  return true;
}

/* What belongs to them cannot be mounted anew; what the host has is bound. */
static void test_host_namespaces(void) {
  static const char mounts[] = PROC
      ",{\"destination\":\"/sys\",\"type\":\"sysfs\",\"options\":[\"ro\"]},{\"destination\":\"/sys/fs/cgroup\","
      "\"type\":\"cgroup\",\"options\":[\"ro\"]}";
  const struct trial t = {.mounts = mounts, .userns = true, .shares = ALL, .check = has_hosts};
  try_run(&t, "namespaces of the host");
  const struct trial writable = {
      .mounts = "{\"destination\":\"/sys\",\"type\":\"sysfs\"}", .userns = true, .shares = ALL, .fails = "sysfs"};
  try_run(&writable, "a writable sysfs of the host");
  const struct trial sysctl = {
      .mounts = PROC, .shares = ALL, .linux_members = ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}", .fails = "needs a network"};
  try_run(&sysctl, "a sysctl of the host");
}

static bool has_overlay(const void *arg) {
  (void)arg;
  HOLDS(has_options("/t overlay ro") && reads("/t/file", "content\n"));
  return true;
}

/* fsconfig(2) takes no value beyond 255 bytes; mount(2) does. */
static void test_old_interface(void) {
  run_shell(
      "mkdir -p ../l; for i in 1 2 3 4 5 6 7 8; do mkdir ../l/layer-with-a-long-name-$i; done; cp ../src/file "
      "../l/layer-with-a-long-name-5");
  cleanup_free char *lower = xformat("%s/l/layer-with-a-long-name-1", base);
  for (int i = 2; i <= 8; i++) {
    char *more = xformat("%s:%s/l/layer-with-a-long-name-%d", lower, base, i);
    free(lower);
    lower = more;
  }
  EXPECT(strlen(lower) > 256);
  cleanup_free char *mounts =
      xformat(PROC ",{\"destination\":\"/t\",\"type\":\"overlay\",\"source\":\"o\",\"options\":[\"ro\",\"lowerdir=%s\"]}", lower);
  const struct trial t = {.mounts = mounts, .check = has_overlay};
  try_run(&t, "overlay");
  char line[1024];
  EXPECT(!look("/", line) || !strstr(line, "overlay o"));
}

/* --- as root of the machine --- */

static bool has_real_devices(const void *arg) {
  struct stat st;
  (void)arg;
  HOLDS(stat("/dev/own", &st) == 0 && S_ISCHR(st.st_mode) && st.st_uid == 7 && st.st_gid == 9 && (st.st_mode & 07777) == 0602);
  HOLDS(stat("/dev/sub/block", &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == makedev(7, 99) && (st.st_mode & 07777) == 0666);
  HOLDS(stat("/elsewhere", &st) == 0 && S_ISCHR(st.st_mode) && is_node("/dev/null", 1, 3));
  char line[1024];
  HOLDS(!look("/dev/null", line));
  return true;
}

static bool is_shifted(const void *arg) {
  struct stat top, below;
  HOLDS(stat("/t/file", &top) == 0 && stat("/t/below/other", &below) == 0);
  HOLDS(top.st_uid == 1000 && top.st_gid == 1001 && (below.st_uid == 1000) == !!arg);
  return true;
}

static bool is_own(const void *arg) {
  struct stat st;
  (void)arg;
  HOLDS(stat("/t/file", &st) == 0 && st.st_uid == 0 && st.st_gid == 0 && reads("/t/file", "content\n"));
  return true;
}

#define SHIFT \
  ",\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}],\"gidMappings\":[{\"containerID\":0,\"hostID\":1001,\"size\":1}]}"
#define SHIFTED(option) PROC ",{\"destination\":\"/t\",\"source\":\"../src\",\"options\":[\"rbind\",\"" option "\"]" SHIFT

static void test_as_root(void) {
  static const struct trial trials[] = {
      {.mounts = PROC "," DEV,
       .linux_members =
           ",\"devices\":[{\"path\":\"/dev/own\",\"type\":\"c\",\"major\":1,\"minor\":3,\"fileMode\":386,\"uid\":7,\"gid\":9},{\"path\":"
           "\"/dev/sub/block\",\"type\":\"b\",\"major\":7,\"minor\":99},{\"path\":\"/elsewhere\",\"type\":\"c\",\"major\":1,\"minor\":5}]",
       .check = has_real_devices},
      {.mounts = SHIFTED("idmap"), .check = is_shifted},
      {.mounts = SHIFTED("ridmap"), .check = is_shifted, .arg = ""},
      {.mounts = BIND("../src", "\"rbind\",\"ridmap=uids=0-1000-1;gids=0-1001-1\""), .check = is_shifted, .arg = ""},
      /* From here on, what the container's root can walk to is not enough: the base is 0700. */
      {.mounts = BIND("../src", "\"rbind\",\"idmap\""), .userns = true, .host_id = 100000, .check = is_own},
      {.mounts = BIND("../src", "\"rbind\",\"idmap=uids=@0-0-1;gids=@0-0-1\""), .userns = true, .host_id = 100000, .check = is_own},
      {.mounts = STANDARD, .linux_members = MASKS, .userns = true, .host_id = 100000, .check = is_standard},
      {.mounts = STANDARD, .linux_members = MASKS, .check = is_standard},
      {.mounts = STANDARD, .linux_members = MASKS, .no_pivot = true, .read_only = true, .check = is_standard, .arg = ""},
  };
  run_shell("chmod 700 ..");
  for (size_t i = 0; i < N_ELEMENTS(trials); i++) {
    if (trials[i].userns) run_shell("chown -R 100000:100000 rootfs");
    try_run(&trials[i], trials[i].mounts);
    if (trials[i].userns) run_shell("chown -R 0:0 rootfs");
  }
}

/* --- a long path, a racing renamer --- */

static void test_long(void) {
  char name[201];
  memset(name, 'n', 200);
  name[200] = 0;
  const int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT(before >= 0 && chdir("../src/below") == 0);
  for (int i = 0; i < 25; i++) EXPECT(mkdir(name, 0755) == 0 && chdir(name) == 0);
  run_shell("mkdir -p bundle/rootfs/t bundle/rootfs/proc src; echo content > src/file");
  EXPECT(chdir("bundle") == 0);
  const struct trial t = {
      .mounts = PROC ",{\"destination\":\"/t\",\"source\":\"../src\",\"options\":[\"bind\"]}", .check = has_options, .arg = "/t rw"};
  try_run(&t, "a long path");
  EXPECT(fchdir(before) == 0);
  close(before);
}

/* Swaps a folder of the root and a link that leads out of it, as fast as it can (CVE-2021-30465). */
static void swap(void) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (;;) (void)syscall(SYS_renameat2, AT_FDCWD, "rootfs/race/a", AT_FDCWD, "rootfs/race/b", 2 /* RENAME_EXCHANGE */);
}

static void test_race(void) {
  run_shell("mkdir -p rootfs/race/a ../victim; ln -s ../../../../victim rootfs/race/b");
  fflush(NULL);
  const pid_t pid = fork();
  if (pid == 0) swap();
  const struct trial t = {.mounts = PROC
                          ",{\"destination\":\"/race/a/x\",\"type\":\"tmpfs\"},{\"destination\":\"/race/a/f\",\"source\":\"../src/file\","
                          "\"options\":[\"bind\"]},{\"destination\":\"/race/a\",\"type\":\"tmpfs\",\"options\":[\"mode=700\"]}"};
  int failed = 0;
  for (int i = 0; i < 300; i++) failed += run(&t) < 0;
  (void)kill(pid, SIGKILL);
  (void)waitpid(pid, NULL, 0);
  if (failed) fprintf(stderr, "race: %d failed; last: %s: %s\n", failed, last_error.step, last_error.what);
  EXPECT(access("../victim/x", F_OK) < 0 && access("../victim/f", F_OK) < 0);
  run_shell("rm -rf rootfs/race rootfs/victim ../victim");
}

static bool make_base(void) {
  cleanup_free char *script = xformat(
      "mount -t tmpfs -o mode=755 base %s && cd %s && mkdir -p bundle/rootfs/proc bundle/rootfs/t src && mount -t tmpfs -o "
      "nosuid,nodev,noexec,noatime src src && mkdir src/below src/proc src/dev && echo content > src/file && mount -t tmpfs -o "
      "nosuid,nodev,noexec below src/below && touch src/below/other && cd bundle",
      base, base);
  return system(script) == 0 && chdir(base) == 0 && chdir("bundle") == 0;
}

static int all(void) {
  const unsigned uid = getuid(), gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || !become_root(uid, gid) || !make_base()) {
    perror("namespace");
    return 1;
  }
  test_options();
  test_standard();
  test_refused();
  test_places();
  test_idmap();
  test_propagation();
  test_devices();
  test_image_dev();
  test_host_namespaces();
  test_old_interface();
  test_long();
  test_race();
  return expect_end("oci_mounts");
}

/* Only where mknod(2) is allowed and ids can be mapped. */
static int as_root(void) {
  if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !make_base()) return 0;
  if (mknod("../try", S_IFCHR | 0600, makedev(1, 3)) < 0) return 0;
  test_as_root();
  return expect_end("oci_mounts as root");
}

static int in_child(int tests(void)) {
  fflush(NULL);
  const pid_t pid = fork();
  if (pid == 0) exit(tests());
  int status = 1;
  (void)waitpid(pid, &status, 0);
  return status != 0;
}

int main(void) {
  if (!mkdtemp(base)) return 1;
  const int r = in_child(all) | in_child(as_root);
  (void)rmdir(base);
  return r;
}
