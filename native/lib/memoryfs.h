/*
 * A pod's file systems in memory: its /dev/shm and its volumes of medium Memory. Each is a tmpfs of its own, for a folder of
 * $XDG_RUNTIME_DIR has no limit but that file system's, which the user's manager and bus and all other pods need, too.
 *
 * They are mounted in infra's mount namespace, on folders of the runtime folder. A container is not made from that namespace but from the
 * host's, so that it sees what was mounted there since infra started; it fetches clones of the tmpfs from infra's.
 */
#pragma once
#include "bundle.h"
#include "mountfd.h"

/* infra: a fresh tmpfs on the fresh folder `name` of `parent`, which is a descriptor of the caller's own mount namespace. */
int memoryfs_make(int parent, const char *name, const struct mount_param *params, size_t n, struct err *err);

/*
 * A container: mounts what its bundle needs, infra's shm and the sources of mounts with x-podgen.memory, at the same places as in infra's
 * namespace; they go with the host's file systems. The caller is in a mount namespace of its own that belongs to the pod's user
 * namespace; it is in "/" afterwards. An infra of an earlier podrt has no namespace of its own and has plain folders, which then
 * are what there is.
 */
int memoryfs_mount(int infra_pidfd, const struct bundle *b, struct err *err);
