/* The receiving side of the log handover (relay.h): the pod's log.sock. */
#pragma once
#include "collect.h"
#include "util.h"

/* Listens at RELAY_SOCKET in a run folder, in place of what an earlier infra left there. Returns the descriptor. */
int handover_listen(int dir, struct err *err);
/* Accepts one connection, of our own uid only; -EAGAIN when there is none. */
int handover_accept(int listener);
/*
 * Takes what the peer sent over into the collector, and answers. -EAGAIN: it sent nothing yet; else the connection has
 * served, 0 or what was wrong, and is to be closed.
 */
int handover_receive(int connection, struct collector *c);
