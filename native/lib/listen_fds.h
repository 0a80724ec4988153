/* Sockets passed by systemd (sd_listen_fds(3)), by hand. */
#pragma once
#include <sys/socket.h>

#include "util.h"

/*
 * How many descriptors from 3 up are ours, by LISTEN_PID and LISTEN_FDS, which are then taken out of the environment. Each becomes
 * non-blocking and close-on-exec. -ENOENT when none were passed to this process, -EINVAL where one is no socket of the wanted
 * type (SOCK_STREAM sockets must listen) or not of IPv4 or IPv6.
 */
int listen_fds(int type, struct err *err);
/*
 * The same for sockets that another program is to have: of any kind, left as they are but for close-on-exec; the environment stays, for
 * LISTEN_FDNAMES. -EINVAL where one is no socket.
 */
int listen_fds_any(struct err *err);
#define LISTEN_FDS_START 3
