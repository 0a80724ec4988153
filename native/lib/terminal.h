/* A person's terminal on our side of exec: raw mode and back, window size, and the copying between it and a pty. */
#pragma once
#include <signal.h>
#include <termios.h>

#include "util.h"

struct terminal {
  int fd; /* the person's, or -1 where standard input is none */
  struct termios was;
};

/* Puts the terminal at descriptor 0 into raw mode; where 0 is none nothing is done, and that is no error. */
int terminal_raw(struct terminal *ret, struct err *err);
void terminal_restore(struct terminal *t);
/* Gives a pty the size of the person's terminal. */
void terminal_copy_size(const struct terminal *t, int master);

/*
 * Copies between 0, 1 and the pty until the process is gone and all it wrote is shown. `signals` is a signalfd for SIGCHLD, SIGWINCH and
 * those that end us, which are passed on to `pid`. Without `interactive` nothing is read from 0. Returns waitpid's status or -errno: -EPIPE
 * where nobody reads 1 any more, and the caller ignores SIGPIPE.
 */
int terminal_serve(const struct terminal *t, int master, int signals, bool interactive, pid_t pid);
