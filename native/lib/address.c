/* Internet addresses of both families: see address.h. */
#include "address.h"

#include <ifaddrs.h>

socklen_t address_len(const struct address *a) {
  return a->family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

void address_unmap(struct address *a) {
  if (a->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) return;
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = a->v6.sin6_port};
  memcpy(&v4.sin_addr, &a->v6.sin6_addr.s6_addr[12], 4);
  *a = (struct address){.v4 = v4};
}

void address_map(struct address *a) {
  if (a->family != AF_INET) return;
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = a->v4.sin_port};
  v6.sin6_addr.s6_addr[10] = v6.sin6_addr.s6_addr[11] = 0xff;
  memcpy(&v6.sin6_addr.s6_addr[12], &a->v4.sin_addr, 4);
  a->v6 = v6;
}

struct address address_loopback(sa_family_t family, uint16_t port) {
  if (family == AF_INET6)
    return (struct address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
  return (struct address){.v4 = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
}

struct address address_stand_in(sa_family_t family) {
  if (family == AF_INET6) return (struct address){.v6 = {.sin6_family = AF_INET6, .sin6_addr.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}}};
  return (struct address){.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201)}};
}

bool address_is_loopback(const struct address *a) {
  return a->family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) : ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* The port stands at the same place in both. */
uint16_t address_port(const struct address *a) {
  return ntohs(a->v4.sin_port);
}

void address_set_port(struct address *a, uint16_t port) {
  a->v4.sin_port = htons(port);
}

bool address_same_host(const struct address *a, const struct address *b) {
  if (a->family != b->family) return false;
  if (a->family == AF_INET6) return !memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, 16) && a->v6.sin6_scope_id == b->v6.sin6_scope_id;
  return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

bool address_equal(const struct address *a, const struct address *b) {
  return address_same_host(a, b) && a->v4.sin_port == b->v4.sin_port;
}

uint32_t address_hash(const struct address *a) {
  const uint8_t *bytes = a->family == AF_INET6 ? a->v6.sin6_addr.s6_addr : (const uint8_t *)&a->v4.sin_addr;
  uint32_t h = 2166136261u ^ a->v4.sin_port; /* FNV-1a */
  for (size_t i = 0; i < (a->family == AF_INET6 ? 16u : 4u); i++) h = (h ^ bytes[i]) * 16777619u;
  return h ^ h >> 15;
}

bool address_keepable(const struct address *client) {
  if (address_is_loopback(client)) return false;
  if (client->family == AF_INET6) {
    const struct in6_addr *v6 = &client->v6.sin6_addr;
    return !IN6_IS_ADDR_LINKLOCAL(v6) && !IN6_IS_ADDR_MULTICAST(v6) && !IN6_IS_ADDR_UNSPECIFIED(v6) && !IN6_IS_ADDR_V4MAPPED(v6);
  }
  uint32_t v4 = ntohl(client->v4.sin_addr.s_addr);
  return v4 >> 24 != 0 && v4 >> 16 != 0xa9fe && v4 < 0xe0000000; /* "this network", 169.254/16, multicast and above */
}

bool address_own(sa_family_t family, uint16_t port, struct address *ret) {
  struct ifaddrs *list;
  bool found = false;
  if (getifaddrs(&list) < 0) return false;
  for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next) {
    if (!i->ifa_addr || i->ifa_addr->sa_family != family) continue;
    memcpy(ret, i->ifa_addr, family == AF_INET6 ? sizeof ret->v6 : sizeof ret->v4);
    address_set_port(ret, port);
    found = address_keepable(ret);
  }
  freeifaddrs(list);
  return found;
}
