/* podrt run --bundle DIR: a container unit's ExecStart. Starts the container, makes its first process the unit's main one, and ends. */
#include "lib/backoff.h"
#include "lib/command.h"
#include "lib/complain.h"
#include "lib/container.h"
#include "lib/signals.h"
#include "verbs.h"

int verb_run(int argc, char **argv) {
  struct bundle bundle;
  struct container container;
  struct err err;
  int code = EXIT_PODRT;
  if (argc != 3 || strcmp(argv[1], "--bundle")) {
    fputs("usage: podrt run --bundle DIR\n", stderr);
    return 64;
  }
  signals_end_us();
  if (bundle_read(argv[2], &bundle, &err) < 0) {
    complain(&err, "run", NULL, NULL);
    backoff_failed();
    return code;
  }
  int r = container_start(&bundle, false, &container, &code, &err);
  if (r == 0)
    container_done(&container);
  else
    complain(&err, "run", bundle.unit, bundle.identifier);
  if (r < 0 && container.early) backoff_failed();
  bundle_free(&bundle);
  return r == 0 ? 0 : code;
}
