/*
 * What a Service's balancer and the forwarders of its pods tell each other, over a pair of SOCK_SEQPACKET: connections and datagrams on
 * their way in, and connections back that no server in the pod takes now. Both are one program: the bytes are structs.
 */
#pragma once
#include "udp_packet.h"

enum handoff_kind {
  HANDOFF_HELLO,      /* the forwarder has joined its pod and takes what comes */
  HANDOFF_CONNECTION, /* with its descriptor, either way */
  HANDOFF_DATAGRAM,   /* with its bytes behind the struct */
};

struct handoff {
  enum handoff_kind kind;
  struct address client;
  int64_t deadline;         /* of a connection, clock_ms(): when it is given up */
  int listener;             /* of a datagram: the descriptor it came to, the same in both */
  struct udp_packet packet; /* of a datagram */
};

#define HANDOFF_PAYLOAD 65536

/* `fd` is -1 for none and stays the caller's; never blocks. -EAGAIN when the other does not keep up. */
int handoff_send(int channel, const struct handoff *message, const void *payload, size_t len, int fd);
/*
 * Receives one; never blocks. The length of the payload, of which `size` bytes fit; *ret_fd is the caller's then, or -1. -EAGAIN when there
 * is none, -EPIPE at the end, -EBADMSG for anything else.
 */
ssize_t handoff_receive(int channel, struct handoff *ret, void *payload, size_t size, int *ret_fd);
