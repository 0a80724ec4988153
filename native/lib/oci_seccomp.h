/*
 * linux.seccomp of an OCI configuration: read, compiled (once: cached by content), loaded, and its listener handed on.
 *
 * Programs are lib/bpf.c's. For podman's default profile: compiled in 0.7 ms, where libseccomp takes 14; read from the cache in 0.03;
 * loaded, which is to be paid at every start, in 0.18 ms, where libseccomp's program takes 1.0. They answer what libseccomp's answer
 * (tests/test_oci_seccomp.c compares them), but where a call has several rules with conditions: there libseccomp's trees overlook some that
 * fit, and here each counts. Of those that fit the strictest holds, and one without conditions before them all, as in libseccomp.
 */
#pragma once
#include <jansson.h>
#include <linux/filter.h>

#include "util.h"

struct oci_seccomp_arg {
  unsigned index;
  uint64_t value, value_two;
  int op; /* enum scmp_compare */
};
struct oci_seccomp_rule {
  const char **names; /* NULL-terminated */
  uint32_t action;    /* SCMP_ACT_... */
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

/* Strings stay the tree's. */
int oci_seccomp_parse(const json_t *tree, const char *at, struct oci_seccomp *ret, struct err *err);
void oci_seccomp_free(struct oci_seccomp *s);

/* The names that are understood, for `features`; NULL beyond the last. */
enum oci_seccomp_kind { OCI_SECCOMP_ACTIONS, OCI_SECCOMP_OPERATORS, OCI_SECCOMP_ARCHES, OCI_SECCOMP_FLAGS };
const char *oci_seccomp_name(enum oci_seccomp_kind kind, size_t i);
/* Does this kernel take the flag of that index? */
bool oci_seccomp_flag_works(size_t i);

struct oci_filter {
  struct sock_filter *code; /* NULL: no filter */
  size_t n;
  unsigned flags;
  bool notifies; /* some rule is SCMP_ACT_NOTIFY: oci_filter_load returns a listener */
};
/*
 * The program. `cache` is a folder's descriptor, or -1: a program made earlier of the same rules by the same podrt and libseccomp is read
 * from there, a new one is left there, in at most 256 files. What is in the cache is the user's own and nobody else's: owner and mode of
 * folder and file are looked at, and a file that is not whole is made anew. That the cache does not work is no error.
 */
int oci_filter_make(const struct oci_seccomp *s, int cache, struct oci_filter *ret, struct err *err);
void oci_filter_free(struct oci_filter *f);
/*
 * Puts it on the calling process, for ever. Needs CAP_SYS_ADMIN in the user namespace or no_new_privs (seccomp(2)). *ret_listener: the
 * listener's descriptor (O_CLOEXEC) where it notifies, else -1. What comes after is subject to it; write(2) and sendmsg(2) never notify.
 */
int oci_filter_load(const struct oci_filter *f, int *ret_listener, struct err *err);
/*
 * Sends the listener to `path` as the runtime-spec's "Container Process State" says: JSON with ociVersion, fds ["seccompFd"], pid, metadata
 * (or NULL) and the container's state (`state`, an object). Called by the parent, with the host's files in reach. At most 10 s.
 */
int oci_filter_send_listener(const char *path, int listener, pid_t pid, const char *metadata, const json_t *state, struct err *err);
