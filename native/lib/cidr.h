/* Ranges of addresses, "10.0.0.0/8": who may connect. */
#pragma once
#include "address.h"

struct cidr {
  struct address network;
  unsigned bits;
};

/* False for what is none. An address alone is the range of just it. */
bool cidr_parse(const char *text, struct cidr *ret);
/* An address of the other family is in no range. */
bool cidr_holds(const struct cidr *range, const struct address *address);
