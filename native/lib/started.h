/* What a started container leaves in its run folder: state.json and the ready mark (native/README.md, "Runtime folder"). */
#pragma once
#include "bundle.h"
#include "end.h"
#include "proc.h"

/* state.json as run_state_read() knows it, with "bundle" beside, for exec. started_at is now. */
int started_write(int dir, const struct proc_id *id, const struct bundle *b, struct err *err);
/* Its live files (livefiles.h) have been made those of the digest `files`. */
int started_refreshed(int dir, const char *files, struct err *err);
/* Reads it with the bundle's path, a new string. */
int started_read(int dir, struct proc_id *ret, char **ret_bundle, struct err *err);
/* The `ready` mark. */
int started_mark(int dir, struct err *err);
/* The mark of one that has ended for good (end.h), and its removal with the next start. */
#define STARTED_DONE "done"
/*
 * ended.json, how it last ended, with its last words where it left any (lastwords.h; else NULL), for status: a unit that has been started
 * anew does not say it any more. The words are systemd's $SERVICE_RESULT, $EXIT_CODE and $EXIT_STATUS.
 */
int started_ended(int dir, const struct end *end, const char *message, struct err *err);
