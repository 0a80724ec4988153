/*
 * Folders of files whose content may change while the container runs (podgen.io/config-reload: update), laid out as the kubelet does:
 * what people see are links into `..data`, which is a link to the folder that holds one state of all files; to rename another link over
 * it changes all of them at once.
 */
#pragma once
#include "bundle.h"

/* The content of one entry of io.podgen.live-files, read from the host: to be freed, which also wipes it. */
struct livefiles {
  const struct bundle_files *files;
  char **bytes;
  size_t *len;
};

/* Reads all sources. */
int livefiles_load(const struct bundle_files *files, struct livefiles *ret, struct err *err);
void livefiles_free(struct livefiles *l);

/*
 * Puts one state into the root `fs` of their tmpfs, in place of the one that is there, if any. One that was killed midway leaves the old
 * state in place, and is tidied up after by the next. `fs` can be written to and may be O_PATH. The umask is 022.
 */
int livefiles_put(int fs, const struct livefiles *l, struct err *err);

/*
 * The tmpfs that is mounted at `destination` of the caller's mount namespace, as one that can be written to; it is ours
 * by its name (`source`), whatever processes of the container have made of the way there. `mountinfo` is that of a process in it.
 */
int livefiles_open(int root, int mountinfo, const char *destination, struct err *err);

/* What /proc/PID/mountinfo shows as the source of such a tmpfs. */
#define LIVEFILES_SOURCE "podgen-files"

/* The file of number `i` below a folder that is ours, with its parents. */
int livefiles_write(int dir, const struct livefiles *l, size_t i, struct err *err);
