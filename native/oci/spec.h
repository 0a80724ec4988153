/* An OCI runtime-spec 1.2 config.json for Linux, all of it, checked. What OCI engines give; podgen's own bundles are lib/bundle.h's. */
#pragma once
#include <jansson.h>

#include "lib/caps.h"
#include "lib/oci_seccomp.h"
#include "lib/util.h"
#include "resources.h"

/* Of the ids of a user namespace, or of an id-mapped mount. */
struct oci_id_map {
  uint32_t inside, outside, count; /* containerID, hostID, size */
};

struct oci_rlimit {
  int resource; /* RLIMIT_... */
  uint64_t soft, hard;
};

struct oci_process {
  bool terminal;
  unsigned short rows, columns; /* consoleSize; 0: not said */
  uint32_t uid, gid;
  uint32_t *groups; /* additionalGids */
  size_t n_groups;
  bool has_umask;
  mode_t umask;
  const char **args, **env; /* NULL-terminated; NULL where there are none */
  const char *command_line; /* commandLine is Windows' own and never set here */
  const char *cwd;          /* absolute */
  bool has_caps;            /* process.capabilities is there: absent sets are then empty; else what podrt has is kept */
  struct cap_sets caps;
  struct oci_rlimit *rlimits;
  size_t n_rlimits;
  bool no_new_privs;
  bool has_oom;
  int oom_score_adj;
  const char *apparmor, *selinux; /* profile, label; NULL: none */
  struct {
    bool set;
    int policy; /* SCHED_... */
    int nice, priority;
    uint64_t flags, runtime, deadline, period; /* SCHED_FLAG_...; ns */
  } scheduler;
  struct {
    bool set;
    int class, priority; /* IOPRIO_CLASS_... */
  } io_priority;
  const char *affinity_initial, *affinity_final; /* execCPUAffinity: lists of CPUs, "0-3,7"; NULL: none */
};

struct oci_mount {
  const char *destination, *type, *source; /* type and source may be NULL; destination absolute (a relative one was below "/") */
  const char **options;                    /* never NULL */
  struct oci_id_map *uid_map, *gid_map;    /* uidMappings, gidMappings */
  size_t n_uid_map, n_gid_map;
};

enum oci_namespace { OCI_USER, OCI_NETWORK, OCI_IPC, OCI_UTS, OCI_PID, OCI_MOUNT, OCI_CGROUP, OCI_TIME, OCI_NAMESPACES };

struct oci_device {
  const char *path;
  mode_t type; /* S_IFCHR, S_IFBLK, S_IFIFO */
  unsigned major, minor;
  mode_t mode; /* 0666 where it is not said */
  uint32_t uid, gid;
};

struct oci_pair {
  const char *key, *value;
};

struct oci_hook {
  const char *path;
  const char **args, **env; /* NULL where not given: args are then {path}, env is empty */
  int64_t timeout;          /* seconds; 0: none */
};
struct oci_hooks {
  struct oci_hook *hook;
  size_t n;
};
enum oci_hook_point {
  OCI_PRESTART,
  OCI_CREATE_RUNTIME,
  OCI_CREATE_CONTAINER,
  OCI_START_CONTAINER,
  OCI_POSTSTART,
  OCI_POSTSTOP,
  OCI_HOOK_POINTS
};

struct oci_time_offset {
  bool set;
  int64_t secs;
  uint32_t nanosecs;
};

struct oci_spec {
  json_t *tree; /* owns every string */
  const char *version, *hostname, *domainname;
  struct oci_pair *annotations;
  size_t n_annotations;

  bool has_process; /* create without one is allowed, start then is not */
  struct oci_process process;
  const char *root_path;
  bool root_read_only;
  struct oci_mount *mounts;
  size_t n_mounts;
  struct oci_hooks hooks[OCI_HOOK_POINTS];

  /* linux */
  struct {
    bool listed;
    const char *path; /* NULL: a new one */
  } ns[OCI_NAMESPACES];
  struct oci_id_map *uid_map, *gid_map;
  size_t n_uid_map, n_gid_map;
  struct oci_time_offset monotonic, boottime;
  struct oci_device *devices;
  size_t n_devices;
  struct oci_net_device {
    const char *name, *new_name; /* of the host; in the container, or NULL */
  } * net_devices;
  size_t n_net_devices;
  const char *cgroups_path; /* NULL: none said */
  struct oci_resources resources;
  struct oci_pair *sysctl; /* as written; mounts.h checks whose they are */
  size_t n_sysctl;
  bool has_seccomp;
  struct oci_seccomp seccomp;
  const char *rootfs_propagation; /* "private", "rslave", ...; NULL */
  const char **masked, **read_only;
  const char *mount_label;
  bool has_personality;
  unsigned long personality; /* PER_LINUX or PER_LINUX32 */
  bool has_rdt;              /* intelRdt is there: ignored, with a word */
};

/*
 * Reads DIR/config.json. Unknown members are left alone (runtime-spec, "Extensibility"); wrong types and values are errors that name the
 * JSON path. An ociVersion of another major number than 1 is refused, a newer minor one is not. On failure nothing is held.
 */
int oci_spec_read(int dir, struct oci_spec *ret, struct err *err);
/* The same for text. For tests, and for the fuzzer. */
int oci_spec_parse(const char *text, size_t len, struct oci_spec *ret, struct err *err);
void oci_spec_free(struct oci_spec *spec);

/* A process object by itself, as `exec --process` has it; the tree stays the caller's. */
int oci_process_parse(const json_t *tree, const char *at, struct oci_process *ret, struct err *err);
void oci_process_free(struct oci_process *process);

/* "user", "network", ...; and the CLONE_NEW... flag. */
const char *oci_namespace_name(enum oci_namespace ns);
uint64_t oci_namespace_flag(enum oci_namespace ns);
/* "createRuntime". */
const char *oci_hook_name(enum oci_hook_point point);
/* The value of an annotation, or NULL. */
const char *oci_annotation(const struct oci_spec *spec, const char *key);
