/* One try of a probe: in a process of its own, which the runner kills when it outlasts its time. */
#pragma once
#include "probespec.h"

/* What the process writes to its pipe, whole. */
struct probe_report {
  int8_t state; /* enum probe_state; PROBE_UNKNOWN: it could not be tried */
  char message[240];
};

/*
 * For a child of the runner: joins what is to be joined, tries, and reports. SIGTERM, and the time-out, kill what was executed in the
 * container, with its process group.
 */
void probe_try_child(const struct probe_spec *s, const struct probe *p, int report) __attribute__((noreturn));
/* A try of a network probe from where we are. */
int probe_try_network(const struct probe *p, int64_t deadline, struct err *err);

/* exec: in the container of `run_dir`. 0: it exited with 0. *ret_unknown: it could not be tried. */
int probe_try_exec(const char *run_dir, const struct probe *p, int64_t deadline, bool *ret_unknown, struct err *err);
/* The text of an error on one line of printable characters. */
void probe_message(const struct err *err, char *ret, size_t size);
