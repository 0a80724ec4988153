/*
 * A pod's file systems in memory: its /dev/shm and its volumes of medium Memory. Each is a tmpfs of its own, for a folder of
 * $XDG_RUNTIME_DIR has no limit but that file system's, which the user's manager and bus and all other pods need, too.
 *
 * They are mounted in infra's mount namespace, on folders of the runtime folder. A container is not made from that namespace but from the
 * host's, so that it sees what was mounted there since infra started; the tmpfs are fetched from infra's, as clones.
 */
#pragma once
#include "bundle.h"
#include "mountfd.h"

/* infra: a fresh tmpfs on the fresh folder `name` of `parent`, which is a descriptor of the caller's own mount namespace. */
int memoryfs_make(int parent, const char *name, const struct mount_param *params, size_t n, struct err *err);

struct memoryfs {
  size_t n;
  struct memoryfs_item {
    char *path; /* where it is in infra's namespace and is to be in the container's */
    int fd;     /* a clone that is attached nowhere; -1 before */
  } * item;
};

/*
 * Clones what the bundle's container needs: infra's shm, and the sources of mounts with x-podgen.memory. The caller has joined the pod's
 * user namespace and stays in its mount namespace. An infra of an earlier podrt has no namespace of its own and has plain folders:
 * then there is nothing to fetch, and they are what is bound.
 */
int memoryfs_fetch(int infra_pidfd, const struct bundle *b, struct memoryfs *ret, struct err *err);
/* In the container's mount namespace, once: puts them where they are in infra's. They go with the host's file systems. */
int memoryfs_attach(const struct memoryfs *m, struct err *err);
void memoryfs_free(struct memoryfs *m);
