/* The cgroup that a container's main process is in, for who joins it: its limits hold for him, and its end is his. */
#pragma once
#include "util.h"

struct container_cgroup {
  int fd[2]; /* cgroup.procs of cgroup2 and of v1's hierarchy of systemd, -1 where there is none */
};

/* While the host's files are reachable. The user's manager made these folders: the user may move processes between them. */
void container_cgroup_open(const char *run_dir, struct container_cgroup *ret);
/* For the calling process. False when it stays outside. */
bool container_cgroup_enter(const struct container_cgroup *c);
void container_cgroup_close(struct container_cgroup *c);
