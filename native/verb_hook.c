/* podrt hook --post-start | --pre-stop …: a container unit's ExecStartPost= and ExecStop=, where its pod asks for hooks. */
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "lib/bundle.h"
#include "lib/complain.h"
#include "lib/deadline.h"
#include "lib/mains.h"
#include "lib/notify.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "lib/signals.h"
#include "lib/started.h"
#include "verbs.h"

/* What Kubernetes leaves a container after a preStop that took all of the grace; and how long a killed one may take to be gone. */
enum { LEAST_MS = 2000, KILLED_MS = 5000 };

struct wish {
  const char *bundle;
  bool post_start;
  bool shared; /* the grace is all of the pod's */
  uint64_t grace;
  int signal;
};

/* The container's main process; -ESRCH when it is gone. *ret_dir is its run folder. */
static int open_main(const struct bundle *b, int *ret_dir, struct err *err) {
  struct run_state state;
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  *ret_dir = run_open_at(run, b->run_dir, false, err);
  if (*ret_dir < 0) return *ret_dir;
  int r = run_state_read(*ret_dir, &state, err);
  return r < 0 ? r : proc_open(&state.id);
}

/* --- after the start --- */

/* On the unit, for status and apply: the manager keeps it until the next start. */
static void say_failed(const struct err *err) {
  char text[700];
  snprintf(text, sizeof text, "STATUS=FailedPostStartHook: %s%s%s", err->what, err->what[0] && err->code ? ": " : "",
           err->code ? strerror(err->code) : "");
  for (char *p = text; *p; p++)
    if ((unsigned char)*p < ' ' || *p == 0x7f) *p = ' ';
  if (notify_send(text) == 0) (void)notify_barrier();
}

static int pre_stop(const struct bundle *b, int main, const struct wish *wish, struct err *err);

/*
 * A failure is ours, and the manager then ends the container; where that has a preStop it ends here, with it, as in Kubernetes, for the
 * manager would leave that out. One that has ended meanwhile is not ready, and that is all there is to it.
 */
static int post_start(const struct bundle *b, int main, int dir, const struct wish *wish, struct err *err) {
  struct err later;
  struct pollfd p = {.fd = main, .events = POLLIN};
  int r = hook_run(&b->post_start, b, "postStart", main, -1, err);
  if (r < 0) {
    say_failed(err);
    if (wish->grace) (void)pre_stop(b, main, wish, &later);
    return r;
  }
  return b->gated || poll(&p, 1, 0) == 1 ? 0 : started_mark(dir, err);
}

/* --- before the stop --- */

static int await_end(int main, int64_t deadline) {
  struct pollfd p = {.fd = main, .events = POLLIN};
  for (;;) {
    int r = poll(&p, 1, deadline_left(deadline));
    if (r >= 0) return r ? 0 : -ETIMEDOUT;
    if (errno != EINTR) return -errno;
  }
}

static int send_signal(int main, int number, struct err *err) {
  if (syscall(SYS_pidfd_send_signal, main, number, NULL, 0) == 0 || errno == ESRCH) return 0;
  return err_set(err, errno, "signal", "%d", number);
}

/* Milliseconds of clock_ms() by which it has to be over: of a sidecar, which stops after the others, with what these have left of the
 * grace. */
static int64_t deadline_of(const struct bundle *b, const struct wish *wish, int64_t now) {
  struct err ignored;
  const int64_t own = now + (int64_t)wish->grace * 1000;
  if (!wish->shared) return own;
  const char *slash = strrchr(b->run_dir, '/');
  cleanup_free char *pod = slash ? strndup(b->run_dir, (size_t)(slash - b->run_dir)) : NULL;
  cleanup_fd int run = pod ? run_open(&ignored) : -1;
  cleanup_fd int dir = run < 0 ? -1 : run_open_at(run, pod, false, &ignored);
  const int64_t began = dir < 0 ? -1 : mains_stop_began(dir);
  const int64_t all = began + (int64_t)wish->grace * 1000;
  return began < 0 || all > own ? own : all;
}

/*
 * One budget for hook and stop: systemd would give each its own TimeoutStopSec=, so the stop is ours too. What fails here is told,
 * and the manager's own signals come after us in any case.
 */
static int pre_stop(const struct bundle *b, int main, const struct wish *wish, struct err *err) {
  const int64_t from = clock_ms(), deadline = deadline_of(b, wish, from);
  int r = hook_run(&b->pre_stop, b, "preStop", main, deadline, err);
  if (r < 0) complain_warning(err, "hook", b->unit, b->identifier, "stopping all the same");
  const int64_t least = clock_ms() + LEAST_MS;
  const int64_t end = deadline > least ? deadline : least;
  r = send_signal(main, wish->signal, err);
  if (r < 0 || await_end(main, end) != -ETIMEDOUT) return r;
  if (wish->shared)
    err_set(err, 0, "stop", "it has not ended within the %llu s that were left of %llu", (unsigned long long)(end - from + 500) / 1000,
            (unsigned long long)wish->grace);
  else
    err_set(err, 0, "stop", "it has not ended within its %llu s", (unsigned long long)wish->grace);
  complain_warning(err, "hook", b->unit, b->identifier, "killing it");
  r = send_signal(main, SIGKILL, err);
  (void)await_end(main, clock_ms() + KILLED_MS);
  return r;
}

/* --- words --- */

static bool parse(int argc, char **argv, struct wish *ret) {
  *ret = (struct wish){.signal = -1};
  if (argc < 4) return false;
  ret->post_start = !strcmp(argv[1], "--post-start");
  if (!ret->post_start && strcmp(argv[1], "--pre-stop") != 0) return false;
  for (int i = 2; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(argv[i], "--shared")) {
      ret->shared = true;
      continue;
    }
    if (!value) return false;
    if (!strcmp(argv[i], "--bundle"))
      ret->bundle = value;
    else if (!strcmp(argv[i], "--signal"))
      ret->signal = signals_number(value);
    else if (strcmp(argv[i], "--grace") != 0 || number_parse(value, false, 1, 1u << 31, &ret->grace) < 0)
      return false;
    i++;
  }
  /* Without a preStop the first has nothing to be done before the stop. */
  const bool stops = ret->grace && ret->signal > 0;
  return ret->bundle && (stops || (ret->post_start && !ret->grace && ret->signal < 0 && !ret->shared));
}

int verb_hook(int argc, char **argv) {
  struct wish wish;
  struct bundle bundle;
  struct err err;
  if (!parse(argc, argv, &wish)) {
    fputs(
        "usage: podrt hook --post-start [--grace SECONDS --signal NAME] --bundle DIR | --pre-stop --grace SECONDS --signal NAME --bundle "
        "DIR\n",
        stderr);
    return 64;
  }
  int r = bundle_read(wish.bundle, &bundle, &err);
  if (r < 0) {
    complain(&err, "hook", NULL, NULL);
    return 125;
  }
  cleanup_fd int dir = -1;
  cleanup_fd int main = open_main(&bundle, &dir, &err);
  if (main < 0 && main != -ESRCH && main != -ENOENT) r = main;
  /* Nothing to be done for one that has ended. */
  if (main >= 0) r = wish.post_start ? post_start(&bundle, main, dir, &wish, &err) : pre_stop(&bundle, main, &wish, &err);
  if (r < 0) complain(&err, "hook", bundle.unit, bundle.identifier);
  bundle_free(&bundle);
  return r < 0 ? 125 : 0;
}
