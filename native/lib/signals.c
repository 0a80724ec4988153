/* The signals that may ask a container to stop: see signals.h. */
#include "signals.h"

#include "util.h"

void signals_stop(sigset_t *ret) {
  static const int others[] = {SIGCHLD, SIGKILL, SIGSTOP, SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU};
  sigfillset(ret);
  for (size_t i = 0; i < N_ELEMENTS(others); i++) sigdelset(ret, others[i]);
}

void signals_handle(void (*handler)(int number)) {
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPIPE};
  sigset_t set;
  signals_stop(&set);
  for (size_t i = 0; i < N_ELEMENTS(faults); i++) sigdelset(&set, faults[i]);
  for (int number = 1; number < NSIG; number++)
    if (sigismember(&set, number) == 1) (void)signal(number, handler);
}

static void end(int number) {
  (void)number;
  (void)signal(SIGTERM, SIG_DFL);
  (void)raise(SIGTERM);
}

void signals_end_us(void) {
  signals_handle(end);
}
