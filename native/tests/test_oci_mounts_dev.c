/* What OCI containers find in /dev, /proc and /sys: the standard mounts, devices, masks, sysctl; and what needs root of the machine. */
#include "trial.h"

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

static int all(void) {
  test_standard();
  test_devices();
  test_image_dev();
  return expect_end("oci_mounts_dev");
}

static int root(void) {
  test_as_root();
  return expect_end("oci_mounts_dev as root");
}

int main(void) {
  return trials(all, root);
}
