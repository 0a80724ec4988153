/*
 * Termination messages, as Kubernetes has them: a file in the container for its last words. It lies beside the container's writable layer,
 * in a folder of the user's alone, so that what is written there costs no memory; `podrt mark --ended` takes its end into ended.json.
 */
#pragma once
#include "bundle.h"

/* Where it is in the container unless the bundle says otherwise, and as what beside the writable layer. */
#define LASTWORDS_PATH "/dev/termination-log"
#define LASTWORDS_FILE "termination-log"
/* How many bytes of its end count. */
enum { LASTWORDS_MAX = 4096 };

/* Makes it, empty, in `folder` (rootfs_prepare); all of the container's users may write to it. */
int lastwords_make(int folder, struct err *err);
/*
 * The last words of the container of run folder `run_dir` ("pods/web/app"), open as `dir`, and takes them away; of one that has `failed`
 * and left none the end of its log, where its bundle asks for that. A new string of valid UTF-8; NULL where there is nothing. What cannot
 * be read is said in their place, as Kubernetes does.
 */
char *lastwords_take(int run, const char *run_dir, int dir, bool failed);
