/* Mounts of OCI containers: options read back from mountinfo, what is refused, links, hostile roots. Devices: test_oci_mounts_dev.c. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "trial.h"

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
      {"rm -rf rootfs/sys; ln -s / rootfs/sys", "{\"destination\":\"/sys\",\"type\":\"sysfs\",\"source\":\"sysfs\"}", "plain folder",
       "rm -rf rootfs/sys"},
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

static int all(void) {
  test_options();
  test_refused();
  test_places();
  test_idmap();
  test_propagation();
  test_host_namespaces();
  test_old_interface();
  test_long();
  test_race();
  return expect_end("oci_mounts");
}

int main(void) {
  return trials(all, NULL);
}
