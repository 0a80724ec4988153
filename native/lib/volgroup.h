/* The group of a pod's volumes (Kubernetes' fsGroup): given to all that is in one, with the modes that let it in. */
#pragma once
#include <sys/stat.h>

#include "mountopt.h"
#include "podids.h"

struct volgroup {
  gid_t gid;      /* as the caller's user namespace has it */
  bool read_only; /* containers may only read the volume */
};

/* What the mode of something in the volume is to be: what it was, readable (writable) by the group; folders hand the group on (setgid). */
mode_t volgroup_mode(const struct volgroup *g, mode_t mode);

/*
 * Gives the file or folder `volume` (O_PATH) and all below to the group; other mounts below are left alone, of symlinks only the owner
 * changes. What is in there may have been made by a container, and be exchanged meanwhile: nothing is looked at twice by name.
 * Not `all`: nothing is done where `volume` itself is as it shall be. /proc is the caller's own.
 */
int volgroup_apply(int volume, const struct volgroup *g, bool all, struct err *err);

/*
 * The same as a mount's options ask (x-podgen.group and its like), for the volume at `path`. What they ask for at each start of the pod is
 * done by the first container that comes: it leaves a mark in `infra_dir` (-1: none), which goes when the pod starts anew.
 */
int volgroup_mount(int volume, const char *path, const struct mountopt *opt, const struct podids *ids, int infra_dir, struct err *err);
/* Removes the marks. */
int volgroup_forget(int infra_dir, struct err *err);
