/* Whether this network namespace leads anywhere, and news about it. */
#pragma once
#include "util.h"

/* True when there is a usable default route, IPv4 or IPv6, in the texts of /proc/net/route and /proc/net/ipv6_route. */
bool route_has_default(const char *v4, const char *v6);
/* The same of the namespace we are in. */
bool route_present(void);
/* A descriptor that is readable when routes change (rtnetlink(7)); to be emptied with route_drain(). */
int route_watch(void);
void route_drain(int watch);
