/* The client's side of TLS, by mbed TLS: for servers whose certificate nobody checks (Kubernetes' probes and hooks of scheme HTTPS). */
#pragma once
#include "util.h"

struct tls;

/* Shakes hands on a non-blocking socket, which stays the caller's. `name` goes into SNI unless it is an address or empty. */
int tls_start(int fd, const char *name, int64_t deadline, struct tls **ret, struct err *err);
int tls_send(struct tls *t, const void *bytes, size_t len, int64_t deadline, struct err *err);
/* At least a byte; 0 at the end, said or not. */
ssize_t tls_receive(struct tls *t, void *bytes, size_t size, int64_t deadline, struct err *err);
/* NULL is fine. */
void tls_end(struct tls *t);
