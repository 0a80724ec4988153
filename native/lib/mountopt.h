/* Options of a bundle's mounts: OCI's words and podgen's own, as a table. */
#pragma once
#include "mountfd.h"

/* Kubernetes' hostPath types. */
enum source_type {
  SOURCE_ANY,
  SOURCE_DIRECTORY,
  SOURCE_DIRECTORY_OR_CREATE,
  SOURCE_FILE,
  SOURCE_FILE_OR_CREATE,
  SOURCE_SOCKET,
  SOURCE_CHAR_DEVICE,
  SOURCE_BLOCK_DEVICE,
};

struct mountopt {
  uint64_t attrs, recursive_attrs; /* MOUNT_ATTR_* to set */
  uint64_t propagation;            /* MS_PRIVATE when none is asked for */
  bool recursive;                  /* rbind */
  bool make_source;                /* x-podgen.mkdir */
  bool owned;                      /* x-podgen.owner: whose a folder is that is made, as ids of the pod */
  uint32_t uid, gid;
  enum source_type type;          /* x-podgen.type */
  const char *sub_path;           /* x-podgen.subpath, or NULL */
  int64_t group;                  /* x-podgen.group (volgroup.h), -1 without */
  bool group_always, group_reads; /* x-podgen.group-always: at each start; x-podgen.group-reads: it may not write */
  struct mount_param *data;       /* the rest, for the file system (size=64m); allocated */
  size_t n_data;
};

/* Reads a list of options. Unknown ones are the file system's if `has_data`, else -EINVAL with err naming them. */
int mountopt_parse(const char *const *options, bool has_data, struct mountopt *ret, struct err *err);
void mountopt_free(struct mountopt *opt);
/* "Directory", for messages. */
const char *mountopt_type_name(enum source_type type);
