/*
 * A Service's connections and datagrams, spread over its pods. We stay in the host's network; each pod has a forwarder of its own, a child
 * of ours that has joined it (podrt forward --channel), gets what is the pod's, and gives back what no server there takes. What nobody
 * takes waits here, FORWARD_TCP_WAIT_MS for a connection; a datagram is lost as on any way.
 */
#pragma once
#include "backends.h"
#include "cidr.h"
#include "loop.h"

struct balance_options {
  const char *backends; /* absolute path of the list */
  int type;             /* SOCK_STREAM or SOCK_DGRAM */
  bool affinity;        /* a client comes to the same pod again */
  bool not_ready;       /* pods that are not ready count, too */
  bool fallback;        /* they do while none is ready */
  const struct cidr *allowed;
  size_t n_allowed; /* 0: everybody may */
};

struct balance;

/* Takes what comes to `n` sockets, LISTEN_FDS_START and up. `options` stay the caller's, as long as it lives. -errno. */
int balance_new(struct loop *loop, const struct balance_options *options, int n, struct balance **ret, struct err *err);
/* A child has ended: call it for SIGCHLD. */
void balance_reap(struct balance *b);
/* Ends what waits, and the forwarders: each as soon as its connections have ended, at our own end at the latest. */
void balance_free(struct balance *b);
