/* podrt deadline --seconds N PODDIR: what pod-X__deadline.timer starts when the pod's activeDeadlineSeconds are over. */
#include "lib/complain.h"
#include "lib/end.h"
#include "lib/mains.h"
#include "lib/manager.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "verbs.h"

/* Told first, so that who sees the stop finds the reason. */
static int record(int dir, const char *unit, const char *pod, uint64_t seconds, struct err *err) {
  cleanup_free char *text =
      xformat("{\"reason\":\"DeadlineExceeded\",\"message\":\"it was active for longer than its %llu s\"}\n", (unsigned long long)seconds);
  cleanup_free char *line = xformat("podrt: deadline: DeadlineExceeded: pod %s was active for longer than its %llu s; stopping it", pod,
                                    (unsigned long long)seconds);
  if (!text || !line) return err_set(err, ENOMEM, "deadline", "%s", "");
  complain_as(3, line, unit, pod);
  int r = write_file_atomic_at(dir, MAINS_FAILED, text, strlen(text), 0600);
  return r < 0 ? err_set(err, -r, "write", MAINS_FAILED) : 0;
}

static int expire(const char *folder, uint64_t seconds, struct err *err) {
  const char *pod = folder + strlen("pods/");
  cleanup_free char *unit = xformat("pod-%s.service", pod);
  if (!unit) return err_set(err, ENOMEM, "deadline", "%s", "");
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  cleanup_fd int dir = run_open_at(run, folder, true, err);
  if (dir < 0) return dir;
  /* One that has ended by itself has met its deadline. */
  if (end_pod_is_over(dir)) return 0;
  int r = record(dir, unit, pod, seconds, err);
  if (r < 0) return r;
  r = manager_stop(unit);
  return r < 0 ? err_set(err, -r, "stop", "%s", unit) : 0;
}

int verb_deadline(int argc, char **argv) {
  uint64_t seconds;
  struct err err;
  if (argc != 4 || strcmp(argv[1], "--seconds") || number_parse(argv[2], false, 1, UINT32_MAX, &seconds) < 0 ||
      strncmp(argv[3], "pods/", 5) || !argv[3][5] || strchr(argv[3] + 5, '/')) {
    fputs("usage: podrt deadline --seconds N PODDIR\n", stderr);
    return 64;
  }
  if (expire(argv[3], seconds, &err) >= 0) return 0;
  err_print(&err, "deadline");
  return 125;
}
