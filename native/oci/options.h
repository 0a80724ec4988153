/* The command line that OCI engines use (runc's): global options before the verb, each verb's own after it. */
#pragma once
#include "lib/util.h"

/* Of podrt; and what `state` says, the highest version of the runtime-spec that we know. */
#define PODRT_VERSION "0.1.0"
#define OCI_VERSION "1.2.1"

struct oci_global {
  const char *root; /* --root or NULL */
  const char *log;  /* --log or NULL: stderr */
  bool log_json;    /* --log-format json */
  bool debug;
  const char *log_level; /* taken and not used: what is told is little */
  bool systemd_cgroup;   /* --systemd-cgroup, or --cgroup-manager=systemd */
  bool cgroup_disabled;  /* --cgroup-manager=disabled */
  enum { OCI_ROOTLESS_AUTO, OCI_ROOTLESS_TRUE, OCI_ROOTLESS_FALSE } rootless;
};

/* One option of a verb's table; `-b`, `--bundle V`, `--bundle=V`. Go's flag package takes one dash for long names too, and so do we. */
struct oci_option {
  const char *name; /* without dashes */
  char letter;      /* or 0 */
  enum { OCI_FLAG, OCI_VALUE, OCI_LIST } kind;
  void *to; /* bool *; const char **; struct oci_words * */
};
struct oci_words {
  const char **word; /* NULL-terminated, allocated */
  size_t n;
};
/*
 * Reads options up to the first other word or "--". Returns the index of the first positional word; -EINVAL with err (EXIT code 64...
 * runc's own is 1) for one that is not in the table.
 */
int oci_options(int argc, char **argv, const struct oci_option *table, size_t n, struct err *err);

/* How a verb fails: one line on stderr, and in the log file (text or JSON with level, msg, time) when there is one. Returns 1; 64 for the
 * steps "usage" and "option". */
int oci_fail(const struct oci_global *g, const struct err *err);
void oci_warn(const struct oci_global *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
