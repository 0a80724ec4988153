/* The hooks of an OCI configuration: programs of whoever asked for the container, given its state on standard input. */
#pragma once
#include "spec.h"

/*
 * Runs them in order, each with `state` (JSON text) on standard input, its own args and environment alone, at most its timeout (then it is
 * killed, with what it started). The first that fails ends it: -ECANCELED and err has its path, exit status and last words of stderr;
 * with `all` (poststart, poststop) the rest is run nevertheless and failures are only told on stderr.
 * `payload`: what they are executed by (lib/payload.h); -1: one is made.
 */
int oci_hooks_run(const struct oci_hooks *hooks, const char *state, bool all, int payload, struct err *err);
