/* A container's OCI bundle, as much of it as podrt uses (native/README.md, "The bundle"), checked. */
#pragma once
#include <jansson.h>

#include "caps.h"
#include "hook.h"
#include "podids.h"
#include "stdinpipe.h"
#include "util.h"

enum rootfs_driver { ROOTFS_AUTO, ROOTFS_OVERLAY, ROOTFS_FUSE, ROOTFS_VFS };

/*
 * Bytes of config.json; no list that a person may make long (variables, mounts, files) has another limit. podgen refuses a
 * container at half of that (src/plan/limits.ts), and a single word beyond 128 KiB, so that what was applied can start.
 */
enum { BUNDLE_SIZE_MAX = 8 * 1024 * 1024 };

struct bundle_rootfs {
  enum rootfs_driver driver;
  const char **layers; /* bottom first */
  size_t n_layers;
  const char *upper;
};

struct bundle_mount {
  const char *destination, *type, *source; /* type "bind" where it is absent */
  const char **options;                    /* never NULL */
};

struct bundle_item {
  const char *path, *source; /* relative; absolute */
  mode_t mode;
};
/* io.podgen.files and io.podgen.live-files: one tmpfs */
struct bundle_files {
  const char *destination, *sub_path; /* sub_path may be NULL */
  bool read_only, live;               /* live: livefiles.h */
  int64_t group;                      /* all is given to it (volgroup.h); -1: to nobody */
  struct bundle_item *items;
  size_t n_items;
};

struct bundle_rlimit {
  int resource;
  uint64_t soft, hard;
};

struct bundle_secret {
  const char *name, *path;
};

/* io.podgen.file-env: a variable whose value is in a file of a volume (fileenv.h) */
struct bundle_file_env {
  const char *name, *folder, *path, *key; /* folder: the volume's, absolute; path: below it */
  bool optional;
};

struct bundle {
  json_t *root, *notes[16]; /* own every string below; notes: annotations that are JSON themselves */
  size_t n_notes;
  char *folder; /* absolute path of the bundle */

  const char *pod, *container, *unit, *identifier, *log_fields, *run_dir, *join, *digest;
  bool backoff, unconfined, writable_cgroup;
  bool strict_groups;       /* io.podgen.groups: the image's /etc/group gives none */
  enum stdin_kind input;    /* io.podgen.stdin: whether somebody may attach to its standard input */
  const char *message_path; /* io.podgen.message: where its last words are, lastwords.h */
  bool message_logs;        /* io.podgen.message-logs: else the end of its log */
  bool gated;               /* probes say when it is ready (proberun.h) */
  bool notify;              /* the payload says itself when it is ready (service.h) */
  unsigned sockets;         /* how many it has from systemd */
  struct hook post_start, pre_stop;
  struct podids ids;       /* io.podgen.userns: the same as infra's */
  const char *live_digest; /* of all live files, or NULL */
  int reload_signal;       /* after those have changed; 0: none */
  const char *user_name;   /* io.podgen.user, or NULL: then uid, gid and groups hold */

  bool has_layers;
  struct bundle_rootfs rootfs;
  const char *root_path; /* root.path, where there are no layers */
  bool root_read_only;

  json_t *seccomp;      /* io.podgen.seccomp-profile, or NULL: see `unconfined` */
  const char *apparmor; /* process.apparmorProfile, or NULL */
  bool no_log;          /* io.podgen.log: what it writes is nobody's to read */
  bool addresses;       /* io.podgen.addresses: marks of addresses.h in args and env are replaced */
  bool privileged;      /* io.podgen.privileged: /sys may be written to, and the user's devices are in /dev */
  bool terminal, no_new_privs, has_oom;
  uint32_t uid, gid, *groups;
  size_t n_groups;
  const char **args, **env, *cwd;
  struct cap_sets caps;
  struct bundle_rlimit *rlimits;
  size_t n_rlimits;
  int oom_score_adj;

  bool own_pid;  /* linux.namespaces lists pid: neither the pod's nor the host's */
  bool host_pid; /* io.podgen.pid: the host's */
  bool host_ipc; /* io.podgen.ipc: the host's, with its /dev/shm */
  const char **masked, **read_only;
  struct bundle_mount *mounts;
  size_t n_mounts;
  struct bundle_files *files;
  size_t n_files;
  struct bundle_file_env *file_envs;
  size_t n_file_envs;
  struct bundle_secret *secrets;
  size_t n_secrets;
};

/*
 * Reads DIR/config.json. Unknown members are left alone, as the runtime-spec demands; wrong types, unknown
 * capabilities, limits and annotation values are errors that name the JSON path. On failure nothing is held.
 */
int bundle_read(const char *folder, struct bundle *ret, struct err *err);
/* The same for text; `folder` is used for messages and relative paths. For tests. */
int bundle_parse(const char *text, size_t len, const char *folder, struct bundle *ret, struct err *err);
void bundle_free(struct bundle *bundle);

/* Order of paths by their parts: a folder comes before what is in it. */
int bundle_compare_paths(const char *a, const char *b);

/* Reads the annotations into a bundle whose root is loaded; part of bundle_parse. */
int bundle_annotations(struct bundle *b, struct err *err);
