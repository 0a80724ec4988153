/* Messages with descriptors: SCM_RIGHTS of unix(7), in one place. */
#pragma once
#include <sys/socket.h>

#include "util.h"

#define FDMSG_MAX 3 /* descriptors in a message, either way */

/*
 * Sends one message with `n` descriptors (at most FDMSG_MAX, 0: none), which stay the caller's. `msg` says what bytes, and to whom where
 * the socket is not connected; its control fields are ours. 0 when the kernel has all of it, or -errno; never SIGPIPE.
 */
int fdmsg_send(int sock, const struct msghdr *msg, const int *fds, size_t n);
/*
 * Receives one message with at most `max` descriptors (FDMSG_MAX at most), each with O_CLOEXEC. The number of bytes and *ret_n, or -errno;
 * -EMSGSIZE when it had more bytes or descriptors than there was room for: none of its descriptors is open then.
 */
ssize_t fdmsg_receive(int sock, struct iovec *iov, size_t n_iov, int *fds, size_t max, size_t *ret_n);
