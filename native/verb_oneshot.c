/* podrt oneshot --bundle DIR: an init container's ExecStart. As run, but stays as the parent and ends with the payload's status. */
#include <sys/wait.h>

#include "lib/backoff.h"
#include "lib/command.h"
#include "lib/complain.h"
#include "lib/container.h"
#include "lib/rootfs.h"
#include "lib/signals.h"
#include "lib/started.h"
#include "verbs.h"

/* The container has as long as it likes: the unit's time limits end it. */
static int wait_for(pid_t pid, const sigset_t *signals) {
  for (;;) {
    int status;
    pid_t r = waitpid(pid, &status, WNOHANG);
    if (r == pid && WIFEXITED(status)) return WEXITSTATUS(status);
    if (r == pid) return 128 + WTERMSIG(status);
    if (r < 0 && errno != EINTR) return EXIT_PODRT;
    siginfo_t info;
    int number = sigwaitinfo(signals, &info);
    if (number > 0 && number != SIGCHLD) (void)kill(pid, number);
  }
}

static int run(const struct bundle *bundle, int *ret_code, bool *ret_early, struct err *err) {
  struct container container;
  sigset_t signals;
  int r = container_start(bundle, true, &container, ret_code, err);
  *ret_early = container.early;
  if (r < 0) return r;
  /* A child that has ended before SIGCHLD was blocked is found by waitpid. */
  signals_stop(&signals);
  sigaddset(&signals, SIGCHLD);
  (void)sigprocmask(SIG_BLOCK, &signals, NULL);
  rootfs_clean(container.folder);
  *ret_code = wait_for(container.pid, &signals);
  if (*ret_code == 0 && (r = started_mark(container.dir, err)) < 0) *ret_code = EXIT_PODRT;
  container_done(&container);
  return r;
}

int verb_oneshot(int argc, char **argv) {
  struct bundle bundle;
  struct err err;
  int code = EXIT_PODRT;
  if (argc != 3 || strcmp(argv[1], "--bundle")) {
    fputs("usage: podrt oneshot --bundle DIR\n", stderr);
    return 64;
  }
  signals_end_us();
  if (bundle_read(argv[2], &bundle, &err) < 0) {
    complain(&err, "oneshot", NULL, NULL);
    backoff_failed();
    return code;
  }
  bool early;
  if (run(&bundle, &code, &early, &err) < 0) complain(&err, "oneshot", bundle.unit, bundle.identifier);
  if (early) backoff_failed();
  bundle_free(&bundle);
  return code;
}
