/* The signals that may ask a container to stop: a unit's KillSignal= is the image's STOPSIGNAL, which may be any. */
#pragma once
#include <signal.h>

/*
 * All that can be caught, but for SIGCHLD, which is about our own children, and those that stop and continue a terminal's jobs. For
 * passing them on: sigprocmask(2) and sigwaitinfo(2) also give those that do nothing by default.
 */
void signals_stop(sigset_t *ret);
/*
 * Handles each of them with `handler`, for the time in which one of them is to end this process; exec takes the handlers away. Left out
 * are faults of our own program, and SIGPIPE.
 */
void signals_handle(void (*handler)(int number));
/*
 * From now on each of those that can be handled ends us, whatever it does by default: for a unit's main process until there is a payload.
 * We die of SIGTERM, which systemd takes for a clean end: a stop in the back-off leaves a unit that is inactive, not failed.
 */
void signals_end_us(void);

/* "9", "KILL", "SIGKILL", "SIGRTMIN+3": the number; -EINVAL for what is no signal. */
int signals_number(const char *word);
