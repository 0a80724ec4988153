/* Sending to journald in its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), without ever blocking. */
#pragma once
#include <sys/uio.h>

#include "util.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/*
 * The socket is connected, because only then poll() tells when the receiver's queue has room again: an unconnected
 * datagram socket is writable even when the next send says EAGAIN (unix_dgram_poll in the kernel).
 */
struct journal {
  int fd; /* -1: not connected */
  const char *path;
};

/*
 * Sends one entry as a datagram; by a sealed memfd where it is too large for one.
 * 0: the kernel has it, and journald will see it with our uid even when we are gone.
 * -EAGAIN: the queue is full; poll journal->fd for POLLOUT. -ENOTCONN: nobody listens; try again in a while.
 * Other errors are of this datagram, and trying again would not help.
 */
int journal_send(struct journal *j, const struct iovec *iov, size_t n);

/* A memfd of these bytes that nobody can change any more, as journald demands. */
int journal_memfd(const struct iovec *iov, size_t n);

void journal_close(struct journal *j);
