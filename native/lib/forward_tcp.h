/* Carries TCP connections from listening sockets of the host's network namespace to a port of the pod we have joined. */
#pragma once
#include "drain.h"
#include "loop.h"
#include "transparent.h"

struct forward_tcp;

/*
 * Takes connections from `n` listening sockets, LISTEN_FDS_START and up (listen_fds.h), in `loop`. `max`: how many at once; more
 * wait in the kernel. A connection waits for a server at most FORWARD_TCP_WAIT_MS and is then reset. -errno.
 */
int forward_tcp_new(struct loop *loop, const struct transparent *t, uint16_t port, int n, size_t max, struct forward_tcp **ret);
#define FORWARD_TCP_WAIT_MS 10000
/* A connection that no server takes now goes to `back`, with its deadline, instead of waiting here; `fd` stays ours. False: it is lost. */
typedef bool forward_tcp_back(void *to, int fd, const struct address *client, int64_t deadline);
void forward_tcp_give_back(struct forward_tcp *f, forward_tcp_back *back, void *to);
/* One that somebody else has accepted; `fd` is ours from here on. */
void forward_tcp_take(struct forward_tcp *f, int fd, const struct address *client, int64_t deadline);
/* New connections are held back while `drain` says so, and it is told of those on which somebody waits. */
void forward_tcp_drain(struct forward_tcp *f, struct drain *drain);
/*
 * Takes no more connections, and ends the loop when the last one has ended, after `ms` at the latest; `at_rest`: already when nobody waits
 * for anything on those that are left.
 */
void forward_tcp_stop(struct forward_tcp *f, int64_t ms, bool at_rest);
void forward_tcp_free(struct forward_tcp *f);
