/* The signals that may ask a container to stop: see signals.h. */
#include "signals.h"

#include <strings.h>

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

int signals_number(const char *word) {
  char *end;
  long n = strtol(word, &end, 10);
  if (end != word && !*end) return n >= 0 && n <= SIGRTMAX ? (int)n : -EINVAL;
  if (!strncasecmp(word, "SIG", 3)) word += 3;
  if (!strncasecmp(word, "RTMIN", 5) || !strncasecmp(word, "RTMAX", 5)) {
    const int base = !strncasecmp(word, "RTMIN", 5) ? SIGRTMIN : SIGRTMAX;
    n = word[5] ? strtol(word + 5, &end, 10) : 0;
    return (!word[5] || !*end) && base + n >= SIGRTMIN && base + n <= SIGRTMAX ? base + (int)n : -EINVAL;
  }
  for (int i = 1; i < SIGRTMIN; i++) {
    const char *name = sigabbrev_np(i);
    if (name && !strcasecmp(word, name)) return i;
  }
  return !strcasecmp(word, "CLD") ? SIGCHLD : !strcasecmp(word, "POLL") ? SIGPOLL : !strcasecmp(word, "IOT") ? SIGABRT : -EINVAL;
}
