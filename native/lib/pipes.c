/* Pipes that splice(2) carries data through: see pipes.h. */
#include "pipes.h"

#include <fcntl.h>

bool pipes_take(struct pipes *pipes, struct pipe_ends *ret) {
  int ends[2];
  if (pipes->n) {
    *ret = pipes->kept[--pipes->n];
    return true;
  }
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return false;
  *ret = (struct pipe_ends){.out = ends[0], .in = ends[1]};
  return true;
}

static void close_ends(const struct pipe_ends *ends) {
  close(ends->out);
  close(ends->in);
}

void pipes_give(struct pipes *pipes, const struct pipe_ends *ends, bool empty) {
  if (empty && pipes->n < PIPES_KEPT)
    pipes->kept[pipes->n++] = *ends;
  else
    close_ends(ends);
}

void pipes_close(struct pipes *pipes) {
  while (pipes->n) close_ends(&pipes->kept[--pipes->n]);
}
