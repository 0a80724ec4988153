/*
 * The client's own address, inside a pod's network namespace: sockets that speak for a foreign address (IP_TRANSPARENT, ip(7)),
 * and the routes that bring the server's answers back to them instead of sending them out.
 *
 * Answers come back because policy rules for what *this namespace itself sends* ("iif lo") lead into a table that takes every
 * address for local:
 *   from 127.0.0.0/8, from ::1      servers reached over loopback (TCP, and UDP servers bound to it; ICMP refusals too)
 *   fwmark TRANSPARENT_MARK         TCP servers reached at the pod's own address: sysctls make an accepted connection and a refusal carry
 *                                   the mark of the packet they answer
 *   ipproto udp sport PORT          UDP servers, which answer from a socket that knows neither peer nor own address when the
 *                                   route is looked for. This table of ours holds the present clients only, or a server could
 *                                   no longer talk to others from its port (NTP, WireGuard, SIP do).
 * The rules concern nothing else of the pod. DESIGN.md tells what was tried first, UNITS.md 12 what came of it.
 */
#pragma once
#include "address.h"
#include "netlink.h"

#define TRANSPARENT_MARK 0x7067u
#define TRANSPARENT_TABLE 0x7067u
#define TRANSPARENT_PRIORITY 100u

struct transparent {
  bool v4, v6;    /* works over loopback */
  bool mark;      /* and, for TCP, over the pod's own address */
  uint32_t table; /* of UDP clients */
  struct netlink netlink;
};

/*
 * Sets rules and routes up in the present network namespace, which must be a pod's, where they are not there yet, and tries them with a
 * connection. Without success v4 and v6 are false, `err` tells the first reason, and nobody can be spoken for; no error otherwise.
 */
void transparent_init(struct transparent *t, int socket_type, uint16_t port, struct err *err);
/* Can there be sockets that speak for others towards that target? */
bool transparent_works(const struct transparent *t, const struct address *target);
/* And may they speak for this client? */
bool transparent_fits(const struct transparent *t, const struct address *client, const struct address *target);
/*
 * Binds a new socket to the client's address and port (`any_port`: to that address alone, for when the port is taken, which for TCP
 * connect(2) says with EADDRNOTAVAIL) and gives it what the answers' way needs. -EADDRINUSE, or other errors: use another source.
 */
int transparent_bind(const struct transparent *t, int fd, const struct address *client, bool any_port);
/* UDP: answers to this client come back from now on, until it is taken out again. */
int transparent_add_client(struct transparent *t, const struct address *client);
int transparent_remove_client(struct transparent *t, const struct address *client);
void transparent_end(struct transparent *t);
