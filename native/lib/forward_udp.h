/* Carries UDP datagrams from sockets of the host's network namespace to a port of the pod we have joined, and the replies back. */
#pragma once
#include "loop.h"
#include "transparent.h"
#include "udp_packet.h"

struct forward_udp;

#define FORWARD_UDP_IDLE_MS 60000
#define FORWARD_UDP_FLOWS 1024
/* A flow that was used in this time is not given up for a new client when there are FORWARD_UDP_FLOWS. */
#define FORWARD_UDP_YOUNG_MS 5000

/*
 * Takes datagrams from `n` sockets, LISTEN_FDS_START and up. A client (its address and port, and the address of ours it used) has a flow,
 * a connected socket in the pod, until FORWARD_UDP_IDLE_MS after its last datagram. `max`: flows at once. Without `listens` somebody else
 * receives, and the sockets are there for replies. -errno.
 */
int forward_udp_new(struct loop *loop, struct transparent *t, uint16_t port, int n, bool listens, size_t max, struct forward_udp **ret);
/* Where the next datagram is to be put, HANDOFF_PAYLOAD bytes, and carrying it on: `listener` is the descriptor it came to. */
void *forward_udp_buffer(struct forward_udp *f);
void forward_udp_take(struct forward_udp *f, int listener, const struct udp_packet *packet);
void forward_udp_free(struct forward_udp *f);
