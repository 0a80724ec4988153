/* The service side of sd_notify(3), by hand: a datagram to $NOTIFY_SOCKET. */
#pragma once
#include "util.h"

/* Sends one datagram ("READY=1\nMAINPID=5"); 0 also when there is no NOTIFY_SOCKET. Opens the socket by itself, in the caller's mount
 * namespace. */
int notify_send(const char *text);
/* The same with a descriptor that stays the caller's: "FDSTORE=1\nFDNAME=…". */
int notify_send_fd(const char *text, int fd);
/* Sends BARRIER=1 with a pipe's end and waits until the manager has read all that was sent before, at most `ms`. */
int notify_barrier(int ms);
