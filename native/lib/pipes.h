/* Pipes that splice(2) carries data through: held only while something is in them, so that idle connections cost none. */
#pragma once
#include "util.h"

/* How many empty ones are kept for the next. */
#define PIPES_KEPT 4

struct pipe_ends {
  int out, in; /* read end, write end */
};
struct pipes {
  struct pipe_ends kept[PIPES_KEPT];
  size_t n;
};

/* An empty pipe; false when descriptors are used up. */
bool pipes_take(struct pipes *pipes, struct pipe_ends *ret);
/* Gives it back; `empty` tells that all that went in came out. */
void pipes_give(struct pipes *pipes, const struct pipe_ends *ends, bool empty);
/* Closes what is kept. */
void pipes_close(struct pipes *pipes);
