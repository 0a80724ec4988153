/*
 * Standard input that somebody may attach to: a FIFO in the container's run folder, made anew at each start.
 *
 * Nobody reads an end before somebody has attached. One that stays open for all who come is the container's to write to, too, and so has no
 * end at all. One that is for the first alone (Kubernetes' stdinOnce) ends with them: until then infra holds it open (held.h).
 */
#pragma once
#include "util.h"

#define STDIN_FIFO "stdin"
enum stdin_kind { STDIN_NONE, STDIN_OPEN, STDIN_ONCE };

/* In the run folder `dir`. Returns the container's end; *ret_write is the one that infra is to hold, or -1. */
int stdinpipe_make(int dir, enum stdin_kind kind, int *ret_write, struct err *err);
/* The end for one who attaches; never blocks. -ENOENT: there is none, or not any more; -ENXIO: nobody reads it. */
int stdinpipe_open(int dir, struct err *err);
/* For the one to whom it belongs from now on: nobody finds it again. -ENOENT: somebody else was first. */
int stdinpipe_take(int dir, struct err *err);
