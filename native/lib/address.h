/* Internet addresses of both families, as forwarding needs them. */
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include "util.h"

struct address {
  union {
    sa_family_t family;
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  };
};

socklen_t address_len(const struct address *a);
/* An IPv4 address written in IPv6 (::ffff:1.2.3.4, from a socket of both families) becomes plain IPv4. */
void address_unmap(struct address *a);
/* The way back, for sending on such a socket. */
void address_map(struct address *a);
/* 127.0.0.1 or ::1. */
struct address address_loopback(sa_family_t family, uint16_t port);
bool address_is_loopback(const struct address *a);
/* 192.0.2.1 or 2001:db8::1, port 0: of the documentation's networks (RFC 5737, RFC 3849), so that it is nobody's and nobody trusts it. */
struct address address_stand_in(sa_family_t family);
uint16_t address_port(const struct address *a);
void address_set_port(struct address *a, uint16_t port);
bool address_same_host(const struct address *a, const struct address *b);
bool address_equal(const struct address *a, const struct address *b);
uint32_t address_hash(const struct address *a);
/*
 * True when a socket elsewhere may take this address for its own: not for loopback (it would be its own loopback), nor for
 * link-local ones (they mean nothing without their interface), nor for those that name no host.
 */
bool address_keepable(const struct address *client);
/* The first address of the present network namespace in that family that is neither loopback nor link-local; false when there is none. */
bool address_own(sa_family_t family, uint16_t port, struct address *ret);
