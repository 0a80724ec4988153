/* A connection to a server, plain or by TLS, on which no step outlasts its deadline. */
#pragma once
#include "util.h"

struct tls;

struct wire {
  int fd; /* -1: none */
  struct tls *tls;
};

enum { WIRE_WHERE_MAX = 64 };

/*
 * Connects by TCP before `deadline` (clock_ms). `host`: an IPv4 or IPv6 address, "localhost", or "" for the network namespace we are in:
 * 127.0.0.1, else ::1, else its own address, the next one where the one before refuses. *ret_where is the address that took it.
 * -ETIMEDOUT, -ECONNREFUSED, ...; -EINVAL for a host that is no address: nobody is asked for names.
 */
int wire_connect(const char *host, uint16_t port, int64_t deadline, char ret_where[WIRE_WHERE_MAX], struct wire *ret, struct err *err);
/* TLS from here on; the certificate may be anybody's. `name` is told the server (SNI) unless it is an address. */
int wire_start_tls(struct wire *w, const char *name, int64_t deadline, struct err *err);
int wire_send(struct wire *w, const void *bytes, size_t len, int64_t deadline, struct err *err);
/* Whatever has come, at least a byte; 0 at the end. */
ssize_t wire_receive(struct wire *w, void *bytes, size_t size, int64_t deadline, struct err *err);
void wire_close(struct wire *w);
