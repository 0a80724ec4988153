/* The service side of sd_notify(3), by hand: a datagram to $NOTIFY_SOCKET. */
#pragma once
#include "util.h"

/* Sends one datagram ("READY=1\nMAINPID=5"); 0 also when there is no NOTIFY_SOCKET. Opens the socket by itself, in the caller's mount
 * namespace. */
int notify_send(const char *text);
/* The same with a descriptor that stays the caller's: "FDSTORE=1\nFDNAME=…". */
int notify_send_fd(const char *text, int fd);
/*
 * How long the manager may be busy with other things (a reload of many units, a machine that swaps) before we take it for gone. Long,
 * because what waits here is ready to run, and the manager has its own limit for a start and its own way to end one.
 */
enum { NOTIFY_BARRIER_MS = 300 * 1000 };
/* Sends BARRIER=1 with a pipe's end and waits until the manager has read all that was sent before; -ETIMEDOUT after NOTIFY_BARRIER_MS. */
int notify_barrier(void);
