/* Processes named safely: pid + start time + pidfd, the runtime folder, state files. */
#pragma once
#include "util.h"

struct proc_id {
  pid_t pid;
  uint64_t start; /* field 22 of /proc/PID/stat, clock ticks since boot */
};

/* Start time of a pid; -ESRCH when it is gone. */
int proc_start_time(pid_t pid, uint64_t *ret);
/* Opens a pidfd and checks afterwards that pid still has that start time and is no zombie: else -ESRCH. Returns the descriptor. */
int proc_open(const struct proc_id *id);

/* Opens (makes, 0700) $XDG_RUNTIME_DIR/podgen; O_PATH|O_DIRECTORY. The variable must be set and absolute. */
int run_open(struct err *err);
/* Opens a run folder below it ("pods/web/app"), making the parts if `create`; no symlinks are followed (openat2,
 * RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS). */
int run_open_at(int run, const char *rel, bool create, struct err *err);

struct run_state {
  struct proc_id id;
  char digest[80];
  int64_t started_at; /* seconds since the epoch */
};
/* state.json of a run folder; -ENOENT where there is none. */
int run_state_read(int dir, struct run_state *ret, struct err *err);
int run_state_write(int dir, const struct run_state *state, struct err *err);
