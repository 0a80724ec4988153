/* podrt mark --ready RUNDIR | --ended RUNDIR: a container unit's ExecStartPost= and ExecStopPost=, for what the manager alone knows. */
#include "lib/started.h"
#include "verbs.h"

static int ended(int dir, struct err *err) {
  /* As systemd.exec(5) has them; the last two are absent where no process was there to end. */
  const char *result = getenv("SERVICE_RESULT"), *code = getenv("EXIT_CODE"), *status = getenv("EXIT_STATUS");
  if (!result) return err_set(err, 0, "SERVICE_RESULT", "it is not set: this is a unit's ExecStopPost=");
  return started_ended(dir, result, code ? code : "", status ? status : "", err);
}

int verb_mark(int argc, char **argv) {
  if (argc != 3 || (strcmp(argv[1], "--ready") && strcmp(argv[1], "--ended"))) {
    fputs("usage: podrt mark --ready|--ended RUNDIR\n", stderr);
    return 64;
  }
  struct err err;
  cleanup_fd int run = run_open(&err);
  cleanup_fd int dir = run < 0 ? -1 : run_open_at(run, argv[2], true, &err);
  int r = run < 0 ? run : dir < 0 ? dir : !strcmp(argv[1], "--ready") ? started_mark(dir, &err) : ended(dir, &err);
  if (r >= 0) return 0;
  err_print(&err, "mark");
  return 125;
}
