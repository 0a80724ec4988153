/*
 * The relay: reads the output of a pod's containers and sends it to the journal line by line, losing none.
 *
 * Theory of operation. All streams sit in one epoll set. A round reads one chunk of each stream that has something, so
 * that a noisy container does not starve the others; lines are encoded into one buffer and go out as one datagram
 * (journald takes many entries in one, and its queue counts datagrams: 10 on a plain kernel). When journald does not take
 * it, nothing more is read: the pipes fill and the containers wait, as they would for a slow disk. Lines sent are
 * safe whatever happens to us: the kernel keeps them with our uid, by which journalctl --user-unit finds them (UNITS.md 6).
 */
#pragma once
#include "journal.h"
#include "util.h"

struct collector;

/* `journal_path`: JOURNAL_SOCKET, but for tests. */
int collector_new(const char *journal_path, struct collector **ret);
void collector_free(struct collector *c);

/* Takes over the descriptors (up to RELAY_STREAMS, as `streams` of relay.h tells); `fields` are copied. On error they are closed. */
int collector_add(struct collector *c, uint32_t streams, const int *fds, size_t n_fds, const char *fields, size_t fields_len);

/* For poll: readable when there is something to relay. Not to be polled while collector_blocked(). */
int collector_fd(const struct collector *c);
/* True while the journal does not take what we have. Then wait for POLLOUT on *ret_fd, or where that is -1 for *ret_ms, and run again. */
bool collector_blocked(const struct collector *c, int *ret_fd, int *ret_ms);
/* One round, never blocking. 0: nothing was there; 1: something was done or is blocked; -errno: a bug or no memory. */
int collector_run(struct collector *c);
/* True when every stream has ended and everything was sent. */
bool collector_idle(const struct collector *c);

/*
 * For the end: everything that is left in the pipes, without sending it. Appends entries to `fd`, to be sent by a later
 * infra with collector_resend(). 1 when there was something.
 */
int collector_spill(struct collector *c, int fd);
/* Sends what collector_spill() wrote. -EAGAIN, -ENOTCONN: later; other errors: never. */
int collector_resend(struct collector *c, int fd);
