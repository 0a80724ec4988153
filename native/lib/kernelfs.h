/* The kernel's file systems of a container: /proc, /sys, the cgroup folder, and /dev with what is in it. */
#pragma once
#include "podids.h"
#include "util.h"

struct kernelfs {
  int root;                 /* the container's root, attached */
  int infra_dir;            /* infra's run folder, for its shm/, on which memoryfs_mount was done */
  bool own_pid;             /* the PID namespace was made for this container */
  bool host_ipc;            /* the host's, and so is /dev/shm */
  bool privileged;          /* /sys may be written to, and the user's devices are in /dev (hostdev.h) */
  bool writable_cgroup;     /* its cgroup is its own to divide: for an init */
  const struct podids *ids; /* whose numbers a new user namespace has; never NULL */
  int devpts;               /* set: the devpts mount; -1 before */
};

/*
 * Makes them all. The caller is in the container's namespaces (a fresh proc shows its PID namespace) and still sees the host's file
 * systems. /proc, /sys and /dev must be plain folders of the image: with a symlink in their place, what is masked
 * later would not be what the container gets to see (CVE-2019-19921), so that is an error.
 */
int kernelfs_make(struct kernelfs *k, struct err *err);

/* A new terminal of the devpts mount: master and slave, the slave owned by uid. */
int kernelfs_terminal(int devpts, uint32_t uid, int *ret_master, int *ret_slave, struct err *err);
/* /dev/console of the container: the slave itself, bound by descriptor (CVE-2025-52565). */
int kernelfs_console(const struct kernelfs *k, int slave, struct err *err);
