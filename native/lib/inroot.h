/* Paths of a container's root file system, which its image and its processes may have made hostile: by descriptor only. */
#pragma once
#include <linux/openat2.h>
#include <sys/stat.h>

#include "util.h"

/* As the container sees them, whatever links say: "/" is `root`, ".." ends there; no /proc/PID/fd links. */
#define INROOT (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
/* Below a folder that somebody else may change meanwhile; a link that leads out is an error (EXDEV). */
#define INROOT_BENEATH (RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS)

/* openat2(2), O_CLOEXEC added, tried again when a rename raced with it. `path` may begin with "/". Returns the descriptor. */
int inroot_open(int root, const char *path, uint64_t flags, uint64_t resolve);

/* A folder, with all that is missing above it made (mode). Dangling symlinks are made true, within the root. O_PATH descriptor. */
int inroot_make_dir(int root, const char *path, mode_t mode, uint64_t resolve);

/* Something to mount on: the existing `path`, of whatever type fits, else a new folder (0755) or empty file (0644). O_PATH descriptor. */
int inroot_make_target(int root, const char *path, bool folder);

/* Reads a small file of the root; -EFBIG beyond `limit`, -ENOENT also when it is not a plain file. NUL-terminated. */
int inroot_read_file(int root, const char *path, size_t limit, char **ret);
