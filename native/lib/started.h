/* What a started container leaves in its run folder: state.json and the ready mark (native/README.md, "Runtime folder"). */
#pragma once
#include "proc.h"

/* state.json as run_state_read() knows it, with "bundle" beside, for exec. started_at is now. */
int started_write(int dir, const struct proc_id *id, const char *digest, const char *bundle, struct err *err);
/* Reads it with the bundle's path, a new string. */
int started_read(int dir, struct proc_id *ret, char **ret_bundle, struct err *err);
/* The `ready` mark. */
int started_mark(int dir, struct err *err);
