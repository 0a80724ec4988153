/* Two TCP connections joined: see tcp_pair.h. */
#include "tcp_pair.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* So much per turn and direction: a fast connection does not keep the others waiting. */
enum { CHUNK = 64 * 1024, CHUNKS_PER_TURN = 16 };

void tcp_pair_init(struct tcp_pair *pair, int client) {
  *pair = (struct tcp_pair){.side = {{.pair = pair, .fd = client, .writable = true, .readable = true},
                                     {.pair = pair, .fd = -1, .writable = true, .readable = true}}};
}

void tcp_pair_event(struct tcp_side *side, uint32_t events) {
  /* An error or the end is found by reading and by writing, after what came before it. */
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side->readable = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) side->writable = true;
}

/* From the socket into the pipe, which is empty. 1: something came; 0: nothing now; -errno. */
static int fill(struct tcp_side *from, struct pipes *pipes) {
  if (from->ended || !from->readable) return 0;
  if (!from->has_pipe && !(from->has_pipe = pipes_take(pipes, &from->pipe))) return -EMFILE;
  ssize_t n = splice(from->fd, NULL, from->pipe.in, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (n > 0) {
    from->held = (size_t)n;
    from->pair->last = from;
    from->pair->moved = true;
    return 1;
  }
  if (n == 0) from->ended = true;
  if (n < 0 && errno == EINTR) return 1;
  if (n < 0 && errno != EAGAIN) return -errno;
  from->readable = false;
  return 0;
}

/* From the pipe to the other socket. 1: all went; 0: the socket is full; -errno. */
static int drain(struct tcp_side *from, struct tcp_side *to) {
  while (from->held) {
    if (!to->writable) return 0;
    ssize_t n = splice(from->pipe.out, NULL, to->fd, NULL, from->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (n > 0)
      from->held -= (size_t)n;
    else if (n < 0 && errno == EAGAIN)
      to->writable = false;
    else if (n == 0 || errno != EINTR)
      return n == 0 ? -EPIPE : -errno;
  }
  return 1;
}

/* One direction. 1: there is more; 0: no more now; -errno. */
static int carry(struct tcp_side *from, struct tcp_side *to, struct pipes *pipes) {
  int r = 1;
  for (int i = 0; i < CHUNKS_PER_TURN && r > 0; i++) {
    r = drain(from, to);
    if (r > 0) r = fill(from, pipes);
  }
  if (r > 0) r = drain(from, to);
  if (from->has_pipe && !from->held) {
    pipes_give(pipes, &from->pipe, true);
    from->has_pipe = false;
  }
  if (from->ended && !from->held && !from->passed_on) {
    (void)shutdown(to->fd, SHUT_WR);
    from->passed_on = true;
  }
  return r;
}

enum tcp_pair_result tcp_pair_pump(struct tcp_pair *pair, struct pipes *pipes) {
  struct tcp_side *a = &pair->side[0], *b = &pair->side[1];
  int there = carry(a, b, pipes);
  int back = there < 0 && there != -EMFILE ? there : carry(b, a, pipes);
  if ((there < 0 && there != -EMFILE) || (back < 0 && back != -EMFILE)) return TCP_PAIR_BROKEN;
  if (there < 0 || back < 0) return TCP_PAIR_STARVED;
  if (a->passed_on && b->passed_on) return TCP_PAIR_DONE;
  return there > 0 || back > 0 ? TCP_PAIR_AGAIN : TCP_PAIR_WAIT;
}

bool tcp_pair_is_owed(const struct tcp_pair *pair) {
  const struct tcp_side *a = &pair->side[0], *b = &pair->side[1];
  return a->held || b->held || pair->last == a;
}

void tcp_pair_close(struct tcp_pair *pair, struct pipes *pipes, bool broken) {
  const struct linger reset = {.l_onoff = 1, .l_linger = 0};
  for (int i = 0; i < 2; i++) {
    struct tcp_side *side = &pair->side[i];
    if (side->has_pipe) pipes_give(pipes, &side->pipe, side->held == 0);
    side->has_pipe = false;
    if (side->fd < 0) continue;
    if (broken) (void)setsockopt(side->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(side->fd);
    side->fd = -1;
  }
}
