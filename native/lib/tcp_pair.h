/* Two TCP connections joined: what comes from one goes to the other by splice(2), with its end and its breaking off. */
#pragma once
#include "loop.h"
#include "pipes.h"

struct tcp_pair;

/* One of the two connections; its fields are tcp_pair's business. */
struct tcp_side {
  struct loop_source source;
  struct tcp_pair *pair;
  int fd;                  /* -1: not there yet */
  bool readable, writable; /* as far as the last edge told */
  bool ended;              /* nothing more will come from here */
  bool passed_on;          /* and the other side has been told */
  bool has_pipe;
  struct pipe_ends pipe; /* holds what came from here and is not written there yet */
  size_t held;
};

enum tcp_pair_result {
  TCP_PAIR_WAIT,    /* for the next event */
  TCP_PAIR_AGAIN,   /* there is more to do, but others have their turn first */
  TCP_PAIR_STARVED, /* no pipe to be had now */
  TCP_PAIR_DONE,    /* both directions have ended */
  TCP_PAIR_BROKEN,  /* one side broke off */
};

/* side[0] is the client, side[1] the server. */
struct tcp_pair {
  struct tcp_side side[2];
  struct tcp_side *last; /* from where something came last; NULL: nothing has */
  bool moved;            /* something came since the caller has set it to false */
};
/* Something is on its way, or the client spoke last, so that it may wait for an answer. */
bool tcp_pair_is_owed(const struct tcp_pair *pair);

void tcp_pair_init(struct tcp_pair *pair, int client);
/* Notes what epoll told of one side. */
void tcp_pair_event(struct tcp_side *side, uint32_t events);
/* Carries what can be carried now. */
enum tcp_pair_result tcp_pair_pump(struct tcp_pair *pair, struct pipes *pipes);
/* Closes both. `broken`: with a reset, so that neither takes the end for a proper one. */
void tcp_pair_close(struct tcp_pair *pair, struct pipes *pipes, bool broken);
/* The events to be watched for, edge-triggered. */
#define TCP_PAIR_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)
