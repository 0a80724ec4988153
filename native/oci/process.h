/* Turning a process into an OCI container's: identity, rights and limits, for init and exec alike. */
#pragma once
#include "seccomp.h"
#include "spec.h"

struct oci_become {
  const struct oci_process *process;
  int root;                        /* O_PATH of "/", ours by now */
  const struct oci_filter *filter; /* NULL: none */
  bool has_personality;
  unsigned long personality;
  int listener; /* set: seccomp's, or -1 */
};

/* In the host's view, before the pivot: oom_score_adj, scheduler, io priority, rlimits that need rights of the outside. Acts on `pid` (0:
 * us). */
int oci_process_outside(const struct oci_process *p, pid_t pid, struct err *err);
/* Signals, session, keyring, umask, cwd, groups, ids, capabilities, labels, no_new_privs, seccomp. What is left to do is to execute. */
int oci_process_become(struct oci_become *b, struct err *err);
