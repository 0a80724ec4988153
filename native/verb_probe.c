/*
 * podrt probe --bundle DIR [--digest WORD]: runs a container's probes, DIR/probe.json; --ended RUNDIR: what is left to do when that has
 * ended; --try JSON: tries one probe of the network once, from where it is started.
 */
#include "lib/deadline.h"
#include "lib/proberun.h"
#include "lib/probetry.h"
#include "lib/proc.h"
#include "verbs.h"

static int usage(void) {
  fputs("usage: podrt probe --bundle DIR [--digest WORD] | --ended RUNDIR | --try JSON\n", stderr);
  return 64;
}

static int run(const char *bundle, struct err *err) {
  struct probe_spec spec;
  int r = probe_spec_read(bundle, &spec, err);
  if (r < 0) return r;
  r = probe_run(&spec, bundle, err);
  probe_spec_free(&spec);
  return r;
}

/* Nobody knows any more whether it is ready. */
static int ended(const char *run_dir, struct err *err) {
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  cleanup_fd int dir = run_open_at(run, run_dir, false, err);
  if (dir == -ENOENT) return 0;
  if (dir < 0) return dir;
  return unlinkat(dir, "ready", 0) < 0 && errno != ENOENT ? err_set(err, errno, "remove", "ready") : 0;
}

static int try_once(const char *text, struct err *err) {
  json_error_t where;
  struct probe probe = {0};
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &where);
  int r = root ? probe_parse(root, "probe", &probe, err) : (err_set(err, 0, "JSON", "%s", where.text), -EINVAL);
  if (r == 0 && probe.handler == PROBE_EXEC) r = err_set(err, EINVAL, "exec", "it is tried in a container only");
  if (r == 0) r = probe_try_network(&probe, clock_ms() + (int64_t)probe.timing.timeout * 1000, err);
  probe_free(&probe);
  json_decref(root);
  return r;
}

int verb_probe(int argc, char **argv) {
  struct err err = {0};
  int r;
  if ((argc == 3 || (argc == 5 && !strcmp(argv[3], "--digest"))) && !strcmp(argv[1], "--bundle"))
    r = run(argv[2], &err);
  else if (argc == 3 && !strcmp(argv[1], "--ended"))
    r = ended(argv[2], &err);
  else if (argc == 3 && !strcmp(argv[1], "--try"))
    r = try_once(argv[2], &err);
  else
    return usage();
  if (r >= 0) return 0;
  err_print(&err, "probe");
  return argc == 3 && !strcmp(argv[1], "--try") ? 1 : 125;
}
