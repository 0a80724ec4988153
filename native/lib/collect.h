/*
 * The relay: reads the output of a pod's containers and sends it to the journal line by line, losing none.
 *
 * Theory of operation. All streams sit in one epoll set. A round reads one chunk of each stream that has something, so
 * that a noisy container does not starve the others; lines are encoded into one buffer and go out at the round's end, a
 * datagram each (outbox.h says why). When journald does not take one (its queue holds 10 of them on a plain kernel, 512
 * where systemd booted), nothing more is read: the pipes fill and the containers wait, as for a slow disk. Lines sent are
 * safe whatever happens to us: the kernel keeps them with our uid, by which journalctl --user-unit finds them (UNITS.md 6).
 */
#pragma once
#include "keep.h"
#include "tail.h"
#include "util.h"

struct collector;

/* `journal_path`: JOURNAL_SOCKET, but for tests; must outlive the collector. */
int collector_new(const char *journal_path, struct collector **ret);
void collector_free(struct collector *c);

/*
 * Takes back what an earlier infra kept (keep.h), out of `kept`, and from now on keeps what comes for the next one: each stream
 * and, as a memfd, the fields of its container. Without a call nothing is kept.
 */
int collector_keep(struct collector *c, struct kept *kept);
/* How many streams are open: none when all containers have ended. */
size_t collector_streams(const struct collector *c);

/*
 * Takes over the descriptors (at most RELAY_STREAMS, as `streams` of relay.h tells); `fields` are copied. On error they are
 * closed. One that is there already is closed too: it was sent to an earlier infra, whose answer never came.
 */
int collector_add(struct collector *c, uint32_t streams, const int *fds, size_t n_fds, const char *fields, size_t fields_len);

/*
 * From its next streams on the last lines of a container are kept (tail.h), which `key`, the first of its fields, names; and what they are
 * by now, when all that it has written was read, as far as the journal takes it. -ENOENT: they are not kept.
 */
int collector_tail_begin(struct collector *c, const char *key, size_t len);
int collector_tail_ask(struct collector *c, const char *key, size_t len, char ret[TAIL_BYTES], size_t *ret_len);

/* Ends of standard inputs (held.h), named likewise; `fd` is the collector's then. -ENOENT: none is held. */
int collector_hold(struct collector *c, const char *key, size_t len, int fd);
int collector_let_go(struct collector *c, const char *key, size_t len);

/* For poll: readable when there is something to relay. Not to be polled while collector_blocked(). */
int collector_fd(const struct collector *c);
/* True while the journal does not take what we have. Then wait for POLLOUT on *ret_fd, but no longer than *ret_ms where that is -1, and run
 * again. */
bool collector_blocked(const struct collector *c, int *ret_fd, int *ret_ms);
/* One round, never blocking. 0: there is nothing to do; 1: something was done or is blocked; -errno: a bug. */
int collector_run(struct collector *c);

/*
 * At the end: sends all that is in the pipes now, unfinished lines too, until `deadline` (clock_ms). What the journal
 * did not take until then goes to the file `spill`, to be sent by collector_resend() of the pod's next infra. 0: all was
 * sent; 1: some was spilled.
 */
int collector_drain(struct collector *c, int64_t deadline, int spill);
/* 0: sent; -EAGAIN: later; other errors: never. */
int collector_resend(struct collector *c, int fd);
