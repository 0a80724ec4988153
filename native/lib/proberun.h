/*
 * The life of a container's probes: tries them when they are due, keeps the mark `ready`, and ends the container where they say so.
 *
 * Theory of operation. One small process per probed container, asleep in poll(2) between tries. Each try is a forked child: a server that
 * sends strange things, or none, meets a process that is thrown away, and the runner itself never leaves the host. What is known is in
 * the run folder's probe.json (for status, and for a runner that follows this one), what changes is told to the journal under the
 * container's unit and in STATUS= of ours. A failed liveness or startup probe ends the container as a stop would, `podrt hook --pre-stop`;
 * the manager then starts it again by its unit's Restart=, so that restarts and back-off are counted where all others are.
 */
#pragma once
#include "probespec.h"

/* Runs until SIGTERM. `bundle`: the folder of config.json and probe.json. */
int probe_run(const struct probe_spec *s, const char *bundle, struct err *err);
