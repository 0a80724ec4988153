/* Ranges of addresses: see cidr.h. */
#include "cidr.h"

#include <arpa/inet.h>

#include "number.h"

static const unsigned char *bytes_of(const struct address *a) {
  return a->family == AF_INET ? (const unsigned char *)&a->v4.sin_addr : (const unsigned char *)&a->v6.sin6_addr;
}

bool cidr_parse(const char *text, struct cidr *ret) {
  char host[INET6_ADDRSTRLEN];
  const char *slash = strchr(text, '/');
  const size_t len = slash ? (size_t)(slash - text) : strlen(text);
  if (len >= sizeof host) return false;
  memcpy(host, text, len);
  host[len] = 0;
  *ret = (struct cidr){0};
  if (inet_pton(AF_INET, host, &ret->network.v4.sin_addr) == 1)
    ret->network.family = AF_INET;
  else if (inet_pton(AF_INET6, host, &ret->network.v6.sin6_addr) == 1)
    ret->network.family = AF_INET6;
  else
    return false;
  const unsigned most = ret->network.family == AF_INET ? 32 : 128;
  uint64_t bits = most;
  if (slash && number_parse(slash + 1, false, 0, most, &bits) < 0) return false;
  ret->bits = (unsigned)bits;
  return true;
}

bool cidr_holds(const struct cidr *range, const struct address *address) {
  if (address->family != range->network.family) return false;
  const unsigned char *a = bytes_of(&range->network), *b = bytes_of(address);
  const unsigned whole = range->bits / 8, rest = range->bits % 8;
  if (memcmp(a, b, whole)) return false;
  return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}
