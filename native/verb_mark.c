/*
 * podrt mark --ready RUNDIR | --ended … RUNDIR | --probed RUNDIR: a container unit's ExecStartPost= and ExecStopPost=, for what the manager
 * alone knows, and for what it cannot know: that a probe has ended the container, which is a failure however it exits.
 */
#include "lib/complain.h"
#include "lib/drain.h"
#include "lib/end.h"
#include "lib/lastwords.h"
#include "lib/proberecord.h"
#include "lib/started.h"
#include "verbs.h"

struct wish {
  bool ready, probed;
  struct end_policy policy;
  const char *run_dir;
};

enum { EXIT_PROBED = 1 };

static bool was_probed(int dir) {
  struct err ignored;
  struct run_state state;
  if (run_state_read(dir, &state, &ignored) < 0) return false;
  cleanup_free char *why = probe_killed_read(dir, &state.id);
  return why;
}

/* For the journal, where events are; what controls a terminal is journalctl's matter, and podgen logs'. */
static void tell(const char *run_dir, const char *words) {
  const char *name = strchr(run_dir, '/');
  const char *slash = name ? strchr(name + 1, '/') : NULL;
  if (!slash) return;
  cleanup_free char *line = xformat("podrt: termination message: %s", words);
  cleanup_free char *unit = xformat("pod-%.*s_%s.service", (int)(slash - name - 1), name + 1, slash + 1);
  if (line && unit) complain_as(5, line, unit, name + 1);
}

static int ended(int run, int dir, const struct wish *wish, struct err *err) {
  drain_end(run, wish->run_dir);
  /* As systemd.exec(5) has them; the last two are absent where no process was there to end. */
  const char *result = getenv("SERVICE_RESULT"), *code = getenv("EXIT_CODE"), *status = getenv("EXIT_STATUS");
  if (!result) return err_set(err, 0, "SERVICE_RESULT", "it is not set: this is a unit's ExecStopPost=");
  if (!strcmp(result, "success") && was_probed(dir)) result = "exit-code";
  const struct end end = {.result = result, .code = code ? code : "", .status = status ? status : ""};
  cleanup_free char *words = lastwords_take(run, wish->run_dir, dir, !end_is_success(&end));
  if (words) tell(wish->run_dir, words);
  int r = started_ended(dir, &end, words, err);
  return r < 0 || !end_is_final(&wish->policy, &end) ? r : end_settle(run, wish->run_dir, &wish->policy, &end, err);
}

static bool parse(int argc, char **argv, struct wish *ret) {
  *ret = (struct wish){0};
  if (argc < 3) return false;
  ret->run_dir = argv[argc - 1];
  ret->ready = !strcmp(argv[1], "--ready");
  ret->probed = !strcmp(argv[1], "--probed");
  if (ret->ready || ret->probed) return argc == 3;
  if (strcmp(argv[1], "--ended")) return false;
  for (int i = 2; i < argc - 1; i++) {
    const char *value = i + 1 < argc - 1 ? argv[i + 1] : "";
    if (!strcmp(argv[i], "--init")) {
      ret->policy.init = true;
    } else if (!strcmp(argv[i], "--restart") && (!strcmp(value, "no") || !strcmp(value, "on-failure"))) {
      ret->policy.restart = *value == 'n' ? END_NEVER : END_ON_FAILURE;
      i++;
    } else if (!strcmp(argv[i], "--codes") && end_codes_ok(value)) {
      ret->policy.codes = argv[++i];
    } else {
      return false;
    }
  }
  return true;
}

int verb_mark(int argc, char **argv) {
  struct wish wish;
  if (!parse(argc, argv, &wish)) {
    fputs("usage: podrt mark --ready RUNDIR | --ended [--init] [--restart no|on-failure] [--codes LIST] RUNDIR | --probed RUNDIR\n",
          stderr);
    return 64;
  }
  struct err err;
  cleanup_fd int run = run_open(&err);
  cleanup_fd int dir = run < 0 ? -1 : run_open_at(run, wish.run_dir, true, &err);
  int r = run < 0       ? run
          : dir < 0     ? dir
          : wish.ready  ? started_mark(dir, &err)
          : wish.probed ? was_probed(dir)
                        : ended(run, dir, &wish, &err);
  if (r >= 0) return wish.probed && r ? EXIT_PROBED : 0;
  err_print(&err, "mark");
  return 125;
}
