/*
 * podrt drain --seconds N RUNDIR: the first ExecStop= of a container whose pod has connections from outside. From here on new ones are held
 * back (lib/drain.h), and those that somebody waits on may end, N seconds at most; what then goes on is the payload's own matter, as is
 * what is open and at rest. `mark --ended` ends it.
 */
#include "lib/deadline.h"
#include "lib/drain.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "verbs.h"

enum { SECONDS_MAX = 86400 };

int verb_drain(int argc, char **argv) {
  uint64_t seconds;
  if (argc != 4 || strcmp(argv[1], "--seconds") || number_parse(argv[2], false, 0, SECONDS_MAX, &seconds) < 0) {
    fputs("usage: podrt drain --seconds N RUNDIR\n", stderr);
    return 64;
  }
  struct err err;
  const int64_t deadline = clock_ms() + (int64_t)seconds * 1000;
  cleanup_fd int run = run_open(&err);
  int r = run < 0 ? run : drain_begin(run, argv[3], &err);
  if (r == 0) r = drain_wait(run, argv[3], deadline, &err);
  if (r >= 0 || r == -ETIMEDOUT) return 0;
  err_print(&err, "drain");
  return 125;
}
