/* Infra's life after its start: takes logs over, relays them, reaps, until SIGTERM. */
#pragma once
#include "keep.h"
#include "util.h"

/*
 * Listens in the run folder `dir`, writes state.json, says READY=1 and runs until SIGTERM or SIGINT; then sends what is
 * left, at most PODLOOP_DRAIN_MS, and returns 0. All signals must be blocked. `digest`: for state.json. `init`: the
 * PID 1 of the pod's PID namespace (podinit.h), with whose end it returns, too; or 0. `kept`: what an earlier infra left.
 */
int podloop_run(int dir, const char *digest, pid_t init, struct kept *kept, struct err *err);

#define PODLOOP_DRAIN_MS 2000
