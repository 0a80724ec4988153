/* Addresses of a pod and of its host, which are known at a start only: Kubernetes' status.podIP and its like. */
#pragma once
#include <netinet/in.h>

#include "util.h"

/* In text; empty: there is none of that family. */
struct addresses {
  char v4[INET6_ADDRSTRLEN], v6[INET6_ADDRSTRLEN];
};
struct address_pair {
  struct addresses pod, host;
};

/*
 * Of the calling process's network namespace: by each family the address from which it would reach the world, else the first of an
 * interface that is up, loopback and link-local ones aside. Nothing is sent.
 */
void addresses_find(struct addresses *ret);

/*
 * The text with its marks replaced: \x01{podIP}, \x01{podIPs} (both families, a comma between), \x01{hostIP}, \x01{hostIPs}; 127.0.0.1
 * where there is no address at all. A new string; NULL when out of memory.
 */
char *addresses_expand(const struct address_pair *pair, const char *text);
/* The same for a list, in place, of strings that are each allocated. -ENOMEM. */
int addresses_expand_all(const struct address_pair *pair, char **texts);
