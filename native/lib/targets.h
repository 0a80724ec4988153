/*
 * Where in a pod a published port's server may listen: over loopback, else at the pod's own address. And whom it sees.
 *
 * What listens on loopback, or lets in who comes from there, trusts the pod itself alone. So a client that is not on loopback itself is
 * never given a loopback address for source (CVE-2021-20199 was that in another program). What the server sees of it is, the first that
 * can be:
 *   its own address and port, or another port   where there may be such sockets (transparent.h) and it is of the server's family
 *   192.0.2.1 or 2001:db8::1, the stand-in      for a client of the other family or of a link-local address
 *   the pod's own address                       where such sockets do not work
 * and where the pod has no address either, the client is not let in.
 */
#pragma once
#include "transparent.h"

#define TARGETS 4

/*
 * The address to try as number `i` (below TARGETS) for a client: loopback of the client's family first, because only there its
 * address can be kept, then of the other one, then the pod's own addresses likewise. Those first where the pod's own address is the
 * client's source too: a UDP server on all addresses answers it from no other. False where there is no such address.
 */
bool target_address(const struct transparent *t, const struct address *client, uint16_t port, unsigned i, struct address *ret);
/*
 * A new non-blocking socket on its way to the target, from one of the sources above; for a client on loopback a plain one. The descriptor,
 * also while the connection is in progress; -ECONNREFUSED and others when it cannot be, -EADDRNOTAVAIL when it must not: try the next one.
 */
int target_connect(const struct transparent *t, const struct address *client, const struct address *target, int socket_type);
