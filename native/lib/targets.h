/* Where in a pod a published port's server may listen: over loopback, else at the pod's own address. */
#pragma once
#include "transparent.h"

#define TARGETS 4

/*
 * The address to try as number `i` (below TARGETS) for a client: loopback of the client's family first, because only there its
 * address can be kept, then of the other one, then the pod's own addresses likewise. False where there is no such address.
 */
bool target_address(const struct address *client, uint16_t port, unsigned i, struct address *ret);
/*
 * A new non-blocking socket on its way to the target, from the client's address where that works, else a plain one. The descriptor, also
 * while the connection is in progress; -ECONNREFUSED and others when it cannot be: try the next one.
 */
int target_connect(const struct transparent *t, const struct address *client, const struct address *target, int socket_type);
