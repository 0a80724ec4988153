/* podrt oneshot --bundle DIR: an init container's ExecStart. As run, but stays as the parent and ends with the payload's status. */
#include <signal.h>
#include <sys/wait.h>

#include "lib/backoff.h"
#include "lib/command.h"
#include "lib/complain.h"
#include "lib/container.h"
#include "lib/rootfs.h"
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

static void wanted_signals(sigset_t *ret) {
  const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  sigemptyset(ret);
  for (size_t i = 0; i < N_ELEMENTS(numbers); i++) sigaddset(ret, numbers[i]);
}

static int run(const struct bundle *bundle, int *ret_code, bool *ret_early, struct err *err) {
  struct container container;
  sigset_t signals;
  int r = container_start(bundle, true, &container, ret_code, err);
  *ret_early = container.early;
  if (r < 0) return r;
  /* Not before: until the payload runs, a signal ends us, and the child with us. A child that has ended meanwhile is found by waitpid. */
  wanted_signals(&signals);
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
