/* OCI configurations: what is read out of a whole one; that each wrong type, value and word is refused with its JSON path. */
#include "oci/spec.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "expect.h"

#define HEAD "{\"ociVersion\":\"1.2.1\",\"root\":{\"path\":\"rootfs\"}"

static int parse(const char *text, struct oci_spec *ret, struct err *err) {
  return oci_spec_parse(text, strlen(text), ret, err);
}

static void test_process(void) {
  static const char text[] = HEAD
      ",\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":25,\"width\":80},\"cwd\":\"/"
      "srv\",\"args\":[\"sh\",\"\"],\"env\":[\"A=1\",\"B="
      "\"],"
      "\"user\":{\"uid\":5,\"gid\":6,\"umask\":18,\"additionalGids\":[7,4294967294]},\"noNewPrivileges\":true,\"oomScoreAdj\":-1000,"
      "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_CHECKPOINT_RESTORE\"],\"effective\":[\"CAP_CHOWN\"],\"ambient\":[]},"
      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":10,\"hard\":18446744073709551615},{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":-"
      "1},"
      "{\"type\":\"RLIMIT_AS\",\"soft\":9223372036854775807,\"hard\":9223372036854775808}],"
      "\"apparmorProfile\":\"p\",\"selinuxLabel\":\"\",\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"nice\":-3,\"flags\":[\"SCHED_FLAG_"
      "RECLAIM\"],"
      "\"runtime\":10,\"deadline\":18446744073709551615,\"period\":30},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":4},"
      "\"execCPUAffinity\":{\"initial\":\"7\",\"final\":\"0-3,7\"},\"commandLine\":3,\"newer\":{\"x\":1}}}";
  struct oci_spec s;
  struct err err = {0};
  EXPECT(parse(text, &s, &err) == 0);
  if (err.what[0]) fprintf(stderr, "%s\n", err.what);
  const struct oci_process *p = &s.process;
  EXPECT(s.has_process && p->terminal && p->rows == 25 && p->columns == 80 && !strcmp(p->cwd, "/srv"));
  EXPECT(!strcmp(p->args[0], "sh") && !strcmp(p->args[1], "") && !p->args[2] && !strcmp(p->env[1], "B=") && !p->env[2]);
  EXPECT(p->uid == 5 && p->gid == 6 && p->has_umask && p->umask == 022 && p->n_groups == 2 && p->groups[1] == 4294967294u);
  EXPECT(p->no_new_privs && p->has_oom && p->oom_score_adj == -1000);
  EXPECT(p->has_caps && p->caps.bounding == (1ull | 1ull << 40) && p->caps.effective == 1 && !p->caps.permitted && !p->caps.ambient);
  EXPECT(p->n_rlimits == 3 && p->rlimits[0].resource == RLIMIT_NOFILE && p->rlimits[0].soft == 10 && p->rlimits[0].hard == RLIM_INFINITY);
  EXPECT(p->rlimits[1].hard == RLIM_INFINITY && p->rlimits[2].soft == INT64_MAX && p->rlimits[2].hard == 1ull << 63);
  EXPECT(!strcmp(p->apparmor, "p") && !p->selinux);
  EXPECT(p->scheduler.set && p->scheduler.policy == 6 && p->scheduler.nice == -3 && p->scheduler.flags == 2 && p->scheduler.runtime == 10);
  EXPECT(p->scheduler.deadline == UINT64_MAX && p->scheduler.period == 30);
  EXPECT(p->io_priority.set && p->io_priority.class == 3 && p->io_priority.priority == 4);
  EXPECT(!strcmp(p->affinity_initial, "7") && !strcmp(p->affinity_final, "0-3,7"));
  oci_spec_free(&s);
}

static void test_linux(void) {
  static const char text[] = HEAD
      ",\"hostname\":\"h\",\"domainname\":\"\",\"annotations\":{\"a\":\"\",\"b\":\"2\"},"
      "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},{\"destination\":\"data\",\"source\":\"d\","
      "\"options\":[\"rbind\",\"idmap\"],\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":2}],"
      "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":4294967294}]}],"
      "\"hooks\":{\"createRuntime\":[{\"path\":\"/a\",\"args\":[],\"env\":[\"X\"],\"timeout\":5},{\"path\":\"/b\",\"args\":[\"b\",\"c\"]}],"
      "\"poststop\":[{\"path\":\"/c\"}]},"
      "\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"},{\"type\":\"uts\",\"path\":\"\"},{\"type\":\"user\"},"
      "{\"type\":\"time\"},{\"type\":\"network\"},{\"type\":\"ipc\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":1000,\"size\":1}],"
      "\"gidMappings\":[],\"timeOffsets\":{\"monotonic\":{\"secs\":-7,\"nanosecs\":999999999}},"
      "\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":8630,\"uid\":1,\"gid\":2},"
      "{\"path\":\"/p\",\"type\":\"p\"},{\"path\":\"/b\",\"type\":\"b\",\"major\":8,\"minor\":0}],"
      "\"netDevices\":{\"eth0\":{\"name\":\"in%d\"},\"eth1\":{}},\"cgroupsPath\":\"a:b:c\","
      "\"sysctl\":{\"net.ipv4.conf.eth0/1.forwarding\":\"1\",\"kernel/shmmax\":\"18446744073709551615\"},"
      "\"rootfsPropagation\":\"rslave\",\"maskedPaths\":[\"/proc/kcore\"],\"readonlyPaths\":[],\"mountLabel\":\"l\","
      "\"personality\":{\"domain\":\"LINUX32\",\"flags\":[]},\"intelRdt\":{},\"memoryPolicy\":{}},\"vm\":3}";
  struct oci_spec s;
  struct err err = {0};
  EXPECT(parse(text, &s, &err) == 0);
  if (err.what[0]) fprintf(stderr, "%s\n", err.what);
  EXPECT(!s.has_process && !strcmp(s.version, "1.2.1") && !strcmp(s.root_path, "rootfs") && !s.root_read_only);
  EXPECT(!strcmp(s.hostname, "h") && !s.domainname && !strcmp(oci_annotation(&s, "b"), "2") && !oci_annotation(&s, "c"));
  EXPECT(s.n_mounts == 2 && !s.mounts[0].options[0] && !s.mounts[0].n_uid_map && !strcmp(s.mounts[1].destination, "/data"));
  EXPECT(!s.mounts[1].type && !strcmp(s.mounts[1].options[1], "idmap") && s.mounts[1].gid_map[0].count == 4294967294u);
  const struct oci_hooks *h = &s.hooks[OCI_CREATE_RUNTIME];
  EXPECT(h->n == 2 && !h->hook[0].args && !strcmp(h->hook[0].env[0], "X") && h->hook[0].timeout == 5 && !strcmp(h->hook[1].args[1], "c"));
  EXPECT(s.hooks[OCI_POSTSTOP].n == 1 && !s.hooks[OCI_POSTSTOP].hook[0].timeout && !s.hooks[OCI_PRESTART].n);
  EXPECT(!strcmp(s.ns[OCI_PID].path, "/proc/1/ns/pid") && s.ns[OCI_UTS].listed && !s.ns[OCI_UTS].path && !s.ns[OCI_MOUNT].listed);
  EXPECT(s.n_uid_map == 1 && s.uid_map[0].outside == 1000 && !s.n_gid_map);
  EXPECT(s.monotonic.set && s.monotonic.secs == -7 && s.monotonic.nanosecs == 999999999 && !s.boottime.set);
  EXPECT(s.n_devices == 3 && s.devices[0].type == S_IFCHR && s.devices[0].minor == 229 && s.devices[0].mode == 0666 &&
         s.devices[0].gid == 2);
  EXPECT(s.devices[1].type == S_IFIFO && s.devices[2].type == S_IFBLK && s.devices[2].mode == 0666);
  EXPECT(s.n_net_devices == 2 && !strcmp(s.net_devices[0].new_name, "in%d") && !s.net_devices[1].new_name);
  EXPECT(!strcmp(s.cgroups_path, "a:b:c") && !strcmp(s.rootfs_propagation, "rslave"));
  EXPECT(s.n_sysctl == 2 && !strcmp(s.sysctl[0].key, "net.ipv4.conf.eth0/1.forwarding") && !strcmp(s.sysctl[1].key, "kernel/shmmax"));
  EXPECT(!strcmp(s.masked[0], "/proc/kcore") && !s.read_only[0] && !strcmp(s.mount_label, "l"));
  EXPECT(s.has_personality && s.personality == 8 && s.has_rdt && !s.has_seccomp);
  oci_spec_free(&s);
}

/* An ociVersion, and whether it is one of ours. */
static void test_versions(void) {
  static const struct {
    const char *version;
    bool ok;
  } versions[] = {{"1.0.0", true}, {"1.0.2-dev", true}, {"1.3.0", true}, {"1.99.0-rc.1+x", true}, {"2.0.0", false},  {"0.2.0", false},
                  {"1.0", false},  {"1", false},        {"", false},     {"1..0", false},         {"10.0.0", false}, {"1.0.0x", false}};
  for (size_t i = 0; i < N_ELEMENTS(versions); i++) {
    cleanup_free char *text = xformat("{\"ociVersion\":\"%s\",\"root\":{\"path\":\"/\"}}", versions[i].version);
    struct oci_spec s;
    struct err err = {0};
    bool ok = parse(text, &s, &err) == 0;
    if (ok != versions[i].ok) fprintf(stderr, "version %s\n", versions[i].version);
    EXPECT(ok == versions[i].ok);
    if (ok) oci_spec_free(&s);
  }
}

/* Members of process (beside args and cwd), and what the message begins with. */
static const struct {
  const char *member, *want;
} bad_process[] = {
    {"\"terminal\":1", "process.terminal: expected true or false"},
    {"\"terminal\":true,\"consoleSize\":[]", "process.consoleSize: expected an object"},
    {"\"terminal\":true,\"consoleSize\":{\"height\":1}", "process.consoleSize.width: expected a value"},
    {"\"terminal\":true,\"consoleSize\":{\"height\":1,\"width\":70000}", "process.consoleSize.width: expected a number from 0 to 65535"},
    {"\"env\":[\"A\"]", "process.env[0]: expected NAME=value"},
    {"\"env\":[\"A=1\",\"=1\"]", "process.env[1]: expected NAME=value"},
    {"\"env\":{}", "process.env: expected an array"},
    {"\"user\":[]", "process.user: expected an object"},
    {"\"user\":{\"uid\":-1}", "process.user.uid: expected a number from 0 to 4294967294"},
    {"\"user\":{\"uid\":18446744073709551615}", "process.user.uid: expected a whole number"},
    {"\"user\":{\"gid\":4294967295}", "process.user.gid: expected a number"},
    {"\"user\":{\"gid\":\"0\"}", "process.user.gid: expected a whole number"},
    {"\"user\":{\"umask\":512}", "process.user.umask: expected a number from 0 to 511"},
    {"\"user\":{\"additionalGids\":[1,4294967295]}", "process.user.additionalGids[1]: expected a group id"},
    {"\"user\":{\"additionalGids\":[1.0]}", "process.user.additionalGids[0]: expected a group id"},
    {"\"user\":{\"additionalGids\":{}}", "process.user.additionalGids: expected an array"},
    {"\"capabilities\":[]", "process.capabilities: expected an object"},
    {"\"capabilities\":{\"ambient\":\"CAP_CHOWN\"}", "process.capabilities.ambient: expected an array"},
    {"\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_TEST\"]}", "process.capabilities.bounding[1]: unknown capability CAP_TEST"},
    {"\"capabilities\":{\"inheritable\":[\"CHOWN\"]}", "process.capabilities.inheritable[0]: unknown capability CHOWN"},
    {"\"capabilities\":{\"effective\":[\"cap_chown\"]}", "process.capabilities.effective[0]: unknown"},
    {"\"capabilities\":{\"permitted\":[1]}", "process.capabilities.permitted[0]: expected a string"},
    {"\"rlimits\":{}", "process.rlimits: expected an array"},
    {"\"rlimits\":[1]", "process.rlimits[0]: expected an object"},
    {"\"rlimits\":[{\"soft\":1,\"hard\":1}]", "process.rlimits[0].type: expected a string"},
    {"\"rlimits\":[{\"type\":\"RLIMIT_TEST\",\"soft\":1,\"hard\":1}]", "process.rlimits[0].type: unknown limit RLIMIT_TEST"},
    {"\"rlimits\":[{\"type\":\"NOFILE\",\"soft\":1,\"hard\":1}]", "process.rlimits[0].type: unknown limit NOFILE"},
    {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1}]", "process.rlimits[0].soft: expected a value"},
    {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1}]", "process.rlimits[0].hard: expected a value"},
    {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":-2}]", "process.rlimits[0].hard: expected a whole number from 0 to"},
    {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]", "process.rlimits[0].soft: above the hard limit"},
    {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":18446744073709551615,\"hard\":1}]", "process.rlimits[0].soft: above"},
    {"\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1},{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}]",
     "process.rlimits[1].type: listed twice"},
    {"\"noNewPrivileges\":\"yes\"", "process.noNewPrivileges: expected true or false"},
    {"\"oomScoreAdj\":1001", "process.oomScoreAdj: expected a number from -1000 to 1000"},
    {"\"oomScoreAdj\":18446744073709551615", "process.oomScoreAdj: expected a whole number"},
    {"\"apparmorProfile\":[]", "process.apparmorProfile: expected a string"},
    {"\"selinuxLabel\":1", "process.selinuxLabel: expected a string"},
    {"\"scheduler\":{}", "process.scheduler.policy: expected a string"},
    {"\"scheduler\":{\"policy\":\"SCHED_ISO\"}", "process.scheduler.policy: unknown word SCHED_ISO"},
    {"\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}", "process.scheduler.nice: expected a number from -20 to 19"},
    {"\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":1}", "process.scheduler.priority: expected 0"},
    {"\"scheduler\":{\"policy\":\"SCHED_FIFO\"}", "process.scheduler.priority: expected 1 to 99"},
    {"\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":100}", "process.scheduler.priority: expected a number from 0 to 99"},
    {"\"scheduler\":{\"policy\":\"SCHED_RR\",\"priority\":9,\"period\":1}", "process.scheduler: runtime, deadline and period"},
    {"\"scheduler\":{\"policy\":\"SCHED_BATCH\",\"flags\":[\"SCHED_FLAG_X\"]}", "process.scheduler.flags[0]: unknown word SCHED_FLAG_X"},
    {"\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":-1}", "process.scheduler.runtime: expected a whole number"},
    {"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_RT\"}", "process.ioPriority.priority: expected a value"},
    {"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_NONE\",\"priority\":1}", "process.ioPriority.class: unknown word IOPRIO_CLASS_NONE"},
    {"\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}", "process.ioPriority.priority: expected a number from 0 to 7"},
    {"\"execCPUAffinity\":\"0\"", "process.execCPUAffinity: expected an object"},
    {"\"execCPUAffinity\":{\"initial\":\"0-\"}", "process.execCPUAffinity.initial: expected a list of CPUs"},
    {"\"execCPUAffinity\":{\"initial\":\",1\"}", "process.execCPUAffinity.initial: expected a list of CPUs"},
    {"\"execCPUAffinity\":{\"initial\":\"1,\"}", "process.execCPUAffinity.initial: expected a list of CPUs"},
    {"\"execCPUAffinity\":{\"final\":\"3-1\"}", "process.execCPUAffinity.final: expected a list of CPUs"},
    {"\"execCPUAffinity\":{\"final\":\"1-2-3\"}", "process.execCPUAffinity.final: expected a list of CPUs"},
    {"\"execCPUAffinity\":{\"final\":\"0x1\"}", "process.execCPUAffinity.final: expected a list of CPUs"},
    {"\"execCPUAffinity\":{\"final\":\"99999999999999999999\"}", "process.execCPUAffinity.final: expected a list of CPUs"},
};

static void test_bad_process(void) {
  for (size_t i = 0; i < N_ELEMENTS(bad_process); i++) {
    cleanup_free char *text = xformat(HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",%s}}", bad_process[i].member);
    struct oci_spec s;
    struct err err = {0};
    EXPECT(parse(text, &s, &err) < 0);
    if (strncmp(err.what, bad_process[i].want, strlen(bad_process[i].want)))
      fprintf(stderr, "got: %s\nwant: %s\n", err.what, bad_process[i].want);
    EXPECT(!strncmp(err.what, bad_process[i].want, strlen(bad_process[i].want)));
  }
}

#define LINUX(members) HEAD ",\"linux\":{" members "}}"
#define NAMESPACES "\"namespaces\":[{\"type\":\"user\"},{\"type\":\"time\"},{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"}],"
#define MAP(inside, outside, size) "[{\"containerID\":" #inside ",\"hostID\":" #outside ",\"size\":" #size "}]"

/* Whole texts, and what the message begins with. */
static const struct {
  const char *text, *want;
} bad[] = {
    {"", "config.json:1:"},
    {"{", "config.json:1:"},
    {"[]", "config.json: expected an object"},
    {"null", "config.json:1:"},
    {"{}", "ociVersion: expected a string"},
    {"{\"ociVersion\":1}", "ociVersion: expected a string"},
    {"{\"ociVersion\":\"1.2.0\",\"ociVersion\":\"1.2.0\"}", "config.json:1:"},
    {"{\"ociVersion\":\"1.2.0\"}", "root: expected an object"},
    {"{\"ociVersion\":\"1.2.0\",\"root\":{}}", "root.path: expected a string"},
    {"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"\"}}", "root.path: expected a path"},
    {"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"a\\u0000b\"}}", "config.json:1:"},
    {"{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"/\",\"readonly\":0}}", "root.readonly: expected true or false"},
    {HEAD ",\"process\":[]}", "process: expected an object"},
    {HEAD ",\"process\":{\"cwd\":\"/\"}}", "process.args: nothing to execute"},
    {HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[]}}", "process.args: nothing to execute"},
    {HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[\"\"]}}", "process.args: nothing to execute"},
    {HEAD ",\"process\":{\"cwd\":\"/\",\"args\":[3]}}", "process.args[0]: expected a string"},
    {HEAD ",\"process\":{\"args\":[\"a\"]}}", "process.cwd: expected a string"},
    {HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"\"}}", "process.cwd: expected an absolute path"},
    {HEAD ",\"process\":{\"args\":[\"a\"],\"cwd\":\"srv\"}}", "process.cwd: expected an absolute path"},
    {HEAD ",\"hostname\":1}", "hostname: expected a string"},
    {HEAD ",\"hostname\":\"h\"}", "hostname: only with a uts namespace"},
    {HEAD ",\"domainname\":\"d\",\"linux\":{\"namespaces\":[{\"type\":\"ipc\"}]}}", "domainname: only with a uts namespace"},
    {HEAD ",\"hostname\":\"0123456789012345678901234567890123456789012345678901234567890123x\"}", "hostname: expected at most 64 bytes"},
    {HEAD ",\"annotations\":[]}", "annotations: expected an object"},
    {HEAD ",\"annotations\":{\"\":\"x\"}}", "annotations: a name is empty"},
    {HEAD ",\"annotations\":{\"a\":1}}", "annotations.a: expected a string"},
    {HEAD ",\"annotations\":{\"a\":null}}", "annotations.a: expected a string"},
    {HEAD ",\"mounts\":{}}", "mounts: expected an array"},
    {HEAD ",\"mounts\":[{}]}", "mounts[0].destination: expected a string"},
    {HEAD ",\"mounts\":[{\"destination\":\"\"}]}", "mounts[0].destination: expected a path"},
    {HEAD ",\"mounts\":[{\"destination\":\"/a\",\"type\":1}]}", "mounts[0].type: expected a string"},
    {HEAD ",\"mounts\":[{\"destination\":\"/a\",\"options\":\"ro\"}]}", "mounts[0].options: expected an array"},
    {HEAD ",\"mounts\":[{\"destination\":\"/a\"},{\"destination\":\"/b\",\"options\":[\"ro\",1]}]}",
     "mounts[1].options[1]: expected a string"},
    {HEAD ",\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":" MAP(0, 0, 1) "}]}", "mounts[0]: uidMappings and gidMappings go together"},
    {HEAD ",\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":" MAP(0, 0, 0) "}]}",
     "mounts[0].uidMappings[0].size: expected a number from 1"},
    {HEAD ",\"hooks\":[]}", "hooks: expected an object"},
    {HEAD ",\"hooks\":{\"poststart\":{}}}", "hooks.poststart: expected an array"},
    {HEAD ",\"hooks\":{\"poststart\":[{}]}}", "hooks.poststart[0].path: expected a string"},
    {HEAD ",\"hooks\":{\"poststart\":[{\"path\":\"a\"}]}}", "hooks.poststart[0].path: expected an absolute path"},
    {HEAD ",\"hooks\":{\"prestart\":[{\"path\":\"/a\",\"args\":[1]}]}}", "hooks.prestart[0].args[0]: expected a string"},
    {HEAD ",\"hooks\":{\"poststop\":[{\"path\":\"/a\",\"env\":\"\"}]}}", "hooks.poststop[0].env: expected an array"},
    {HEAD ",\"hooks\":{\"poststop\":[{\"path\":\"/a\",\"timeout\":0}]}}", "hooks.poststop[0].timeout: expected a number from 1"},
    {HEAD ",\"linux\":[]}", "linux: expected an object"},
    {LINUX("\"namespaces\":{}"), "linux.namespaces: expected an array"},
    {LINUX("\"namespaces\":[{}]"), "linux.namespaces[0].type: expected a string"},
    {LINUX("\"namespaces\":[{\"type\":\"net\"}]"), "linux.namespaces[0].type: unknown namespace net"},
    {LINUX("\"namespaces\":[{\"type\":\"ipc\",\"path\":\"ns\"}]"), "linux.namespaces[0].path: expected an absolute path"},
    {LINUX("\"namespaces\":[{\"type\":\"ipc\"},{\"type\":\"pid\"},{\"type\":\"ipc\",\"path\":\"/x\"}]"),
     "linux.namespaces[2].type: ipc is listed twice"},
    {LINUX("\"uidMappings\":" MAP(0, 0, 1)), "linux.uidMappings: only with a user namespace"},
    {LINUX("\"gidMappings\":" MAP(0, 0, 1)), "linux.gidMappings: only with a user namespace"},
    {LINUX(NAMESPACES "\"uidMappings\":[{\"hostID\":0,\"size\":1}]"), "linux.uidMappings[0].containerID: expected a value"},
    {LINUX(NAMESPACES "\"gidMappings\":" MAP(-1, 0, 1)), "linux.gidMappings[0].containerID: expected a number from 0"},
    {LINUX(NAMESPACES "\"gidMappings\":" MAP(0, 4294967295, 1)), "linux.gidMappings[0].hostID: expected a number from 0"},
    {LINUX(NAMESPACES "\"uidMappings\":" MAP(1, 0, 4294967295)), "linux.uidMappings[0].size: expected an extent within 32 bits"},
    {LINUX("\"timeOffsets\":{\"boottime\":{\"secs\":1}}"), "linux.timeOffsets: only for a new time namespace"},
    {LINUX("\"timeOffsets\":{\"boottime\":{}},\"namespaces\":[{\"type\":\"time\",\"path\":\"/x\"}]"), "linux.timeOffsets: only for a new"},
    {LINUX(NAMESPACES "\"timeOffsets\":{\"realtime\":{}}"), "linux.timeOffsets.realtime: no clock that has an offset"},
    {LINUX(NAMESPACES "\"timeOffsets\":{\"boottime\":{\"nanosecs\":1000000000}}"),
     "linux.timeOffsets.boottime.nanosecs: expected a number"},
    {LINUX(NAMESPACES "\"timeOffsets\":{\"monotonic\":1}"), "linux.timeOffsets.monotonic: expected an object"},
    {LINUX("\"devices\":[{\"type\":\"c\",\"major\":1,\"minor\":1}]"), "linux.devices[0].path: expected a string"},
    {LINUX("\"devices\":[{\"path\":\"dev/x\",\"type\":\"p\"}]"), "linux.devices[0].path: expected an absolute path"},
    {LINUX("\"devices\":[{\"path\":\"/x\",\"type\":\"d\"}]"), "linux.devices[0].type: unknown word d"},
    {LINUX("\"devices\":[{\"path\":\"/x\",\"type\":\"b\",\"minor\":1}]"), "linux.devices[0].major: expected a value"},
    {LINUX("\"devices\":[{\"path\":\"/x\",\"type\":\"u\",\"major\":4096,\"minor\":1}]"),
     "linux.devices[0].major: expected a number from 0 to 4095"},
    {LINUX("\"devices\":[{\"path\":\"/x\",\"type\":\"b\",\"major\":1,\"minor\":1048576}]"), "linux.devices[0].minor: expected a number"},
    {LINUX("\"devices\":[{\"path\":\"/x\",\"type\":\"p\",\"fileMode\":\"0666\"}]"), "linux.devices[0].fileMode: expected a whole number"},
    {LINUX("\"devices\":[{\"path\":\"/x\",\"type\":\"p\",\"uid\":4294967295}]"), "linux.devices[0].uid: expected a number"},
    {LINUX("\"netDevices\":{\"eth0\":{}}"), "linux.netDevices: only with a network namespace"},
    {LINUX(NAMESPACES "\"netDevices\":{\"a/b\":{}}"), "linux.netDevices.a/b: no name of a network device"},
    {LINUX(NAMESPACES "\"netDevices\":{\"..\":{}}"), "linux.netDevices...: no name of a network device"},
    {LINUX(NAMESPACES "\"netDevices\":{\"0123456789abcdef\":{}}"), "linux.netDevices.0123456789abcdef: no name"},
    {LINUX(NAMESPACES "\"netDevices\":{\"eth0\":\"eth1\"}"), "linux.netDevices.eth0: expected an object"},
    {LINUX(NAMESPACES "\"netDevices\":{\"eth0\":{\"name\":\"a b\"}}"), "linux.netDevices.eth0.name: no name of a network device"},
    {LINUX("\"cgroupsPath\":1"), "linux.cgroupsPath: expected a string"},
    {LINUX(NAMESPACES "\"sysctl\":{\"net.core.somaxconn\":256}"), "linux.sysctl.net.core.somaxconn: expected a string"},
    {LINUX("\"rootfsPropagation\":\"none\""), "linux.rootfsPropagation: unknown word none"},
    {LINUX("\"maskedPaths\":[\"proc\"]"), "linux.maskedPaths[0]: expected an absolute path"},
    {LINUX("\"readonlyPaths\":[\"/a\",\"\"]"), "linux.readonlyPaths[1]: expected an absolute path"},
    {LINUX("\"mountLabel\":{}"), "linux.mountLabel: expected a string"},
    {LINUX("\"personality\":{}"), "linux.personality.domain: expected a string"},
    {LINUX("\"personality\":{\"domain\":\"PER_LINUX\"}"), "linux.personality.domain: unknown word PER_LINUX"},
    {LINUX("\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"X\"]}"), "linux.personality.flags[0]: unknown word X"},
    {LINUX("\"resources\":[]"), "linux.resources: expected an object"},
    {LINUX("\"seccomp\":\"unconfined\""), "linux.seccomp: expected an object"},
};

static void test_bad(void) {
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
    struct oci_spec s;
    struct err err = {0};
    EXPECT(parse(bad[i].text, &s, &err) < 0);
    if (strncmp(err.what, bad[i].want, strlen(bad[i].want))) fprintf(stderr, "got: %s\nwant: %s\n", err.what, bad[i].want);
    EXPECT(!strncmp(err.what, bad[i].want, strlen(bad[i].want)));
  }
}

/* Whatever is cut off: an error, and nothing leaks (make asan). */
static void test_cut(void) {
  static const char whole[] = HEAD
      ",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":18446744073709551615}]},"
      "\"mounts\":[{\"destination\":\"x\",\"options\":[\"ro\"]}],\"linux\":{\"namespaces\":[{\"type\":\"ipc\"}],"
      "\"sysctl\":{\"kernel.shmmax\":\"1\"}}}";
  struct oci_spec s;
  struct err err = {0};
  for (size_t len = 0; len < sizeof whole - 1; len++) EXPECT(oci_spec_parse(whole, len, &s, &err) < 0);
  EXPECT(oci_spec_parse(whole, sizeof whole - 1, &s, &err) == 0);
  oci_spec_free(&s);
  cleanup_fd int dir = open("/proc/self", O_PATH | O_CLOEXEC);
  EXPECT(oci_spec_read(dir, &s, &err) == -ENOENT);
}

int main(void) {
  test_process();
  test_linux();
  test_versions();
  test_bad_process();
  test_bad();
  test_cut();
  for (int i = 0; i < OCI_NAMESPACES; i++) EXPECT(oci_namespace_name(i) && oci_namespace_flag(i));
  EXPECT(!strcmp(oci_hook_name(OCI_CREATE_RUNTIME), "createRuntime"));
  return expect_end("oci_spec");
}
