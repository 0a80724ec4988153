/* linux.seccomp of an OCI configuration: read, compiled by libseccomp (once: cached by content), loaded, and its listener handed on. */
#pragma once
#include <jansson.h>
#include <linux/filter.h>

#include "lib/util.h"

struct oci_seccomp_arg {
  unsigned index;
  uint64_t value, value_two;
  int op; /* enum scmp_compare */
};
struct oci_seccomp_rule {
  const char **names;
  uint32_t action; /* SCMP_ACT_... */
  struct oci_seccomp_arg *args;
  size_t n_args;
};
struct oci_seccomp {
  uint32_t default_action;
  uint32_t *arches; /* SCMP_ARCH_... */
  size_t n_arches;
  unsigned flags; /* SECCOMP_FILTER_FLAG_... */
  const char *listener_path, *listener_metadata;
  struct oci_seccomp_rule *rules;
  size_t n_rules;
};

int oci_seccomp_parse(const json_t *tree, const char *at, struct oci_seccomp *ret, struct err *err);
void oci_seccomp_free(struct oci_seccomp *s);

struct oci_filter {
  struct sock_filter *code; /* NULL: no filter */
  size_t n;
  unsigned flags;
  bool notifies; /* some rule is SCMP_ACT_NOTIFY: oci_filter_load returns a listener */
};
/*
 * The program. `cache` is a folder's descriptor, or -1: a program made earlier of the same JSON text (`tree` dumped in canonical form), the
 * same libseccomp and the same kernel interface is read from there, a new one is left there. What is in the cache is the user's own
 * and nobody else's: owner and mode are looked at.
 */
int oci_filter_make(const struct oci_seccomp *s, const json_t *tree, int cache, struct oci_filter *ret, struct err *err);
void oci_filter_free(struct oci_filter *f);
/* Puts it on the calling process. Returns the listener's descriptor where it notifies, else -1 by *ret_listener. */
int oci_filter_load(const struct oci_filter *f, int *ret_listener, struct err *err);
/*
 * Sends the listener to `path` as the runtime-spec's "Container Process State" says: JSON with ociVersion, fds ["seccompFd"], pid, metadata
 * and the container's state (`state`, an object). Called by the parent, with the host's files in reach.
 */
int oci_filter_send_listener(const char *path, int listener, pid_t pid, const char *metadata, const json_t *state, struct err *err);
