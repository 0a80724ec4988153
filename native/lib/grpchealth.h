/* One call of grpc.health.v1.Health/Check over HTTP/2 without TLS (grpc/grpc: doc/health-checking.md, doc/PROTOCOL-HTTP2.md). */
#pragma once
#include "util.h"

/*
 * Asks the server of the pod itself (wire.h) for `service`, "" for the server as a whole, before `deadline` (clock_ms). 0: it says SERVING;
 * else negative, and err says what it said or did not.
 */
int grpc_health(uint16_t port, const char *service, int64_t deadline, struct err *err);

/* --- parts, for tests --- */

/* What a block of headers (RFC 7541) says of these; left alone where it says nothing. */
struct grpc_headers {
  int status, grpc_status;
};
/* Understands what a server may send whose dynamic table we have set to 0 bytes; -EPROTO for what is no block of headers. */
int grpc_read_headers(const unsigned char *block, size_t len, struct grpc_headers *ret);
