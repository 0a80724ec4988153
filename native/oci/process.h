/* Turning a process into an OCI container's: identity, rights and limits, for init and exec alike. */
#pragma once
#include "lib/oci_seccomp.h"
#include "spec.h"

/*
 * A filter is loaded as late as can be: what podrt itself still does is not the profile's business. Only one that notifies is loaded
 * early, so that whoever makes the container can hand on the listener.
 */
struct oci_become {
  const struct oci_process *process;
  int root;                        /* O_PATH of "/", ours by now */
  const struct oci_filter *filter; /* NULL: none */
  bool has_personality;
  unsigned long personality;
  bool keep_keyring; /* --no-new-keyring */
  bool keep_groups;  /* the caller's supplementary groups stay, process.user.additionalGids are not set */
  unsigned preserve; /* descriptors 3 to 2+N stay open through exec */
  int listener;      /* set: seccomp's, or -1 */
};

struct oci_global;
/*
 * Takes out of the sets what cannot be had, with a warning (runtime-spec, config.md "capabilities": it SHOULD NOT fail for them): what
 * the caller itself lacks, unless a user namespace of the container's own has it all; and, silently, ambient ones that are not permitted
 * and inheritable.
 */
void oci_process_grant(const struct oci_global *g, struct oci_process *p, bool own_userns);
/*
 * The calling process's oom_score_adj; before it is made undumpable. With `rootless` one that may not be had (lower than the caller's) is
 * left as it is: engines ask for theirs all the same.
 */
int oci_process_oom(const struct oci_process *p, bool rootless, struct err *err);
/* By the maker, who may have more rights: scheduler, io priority, CPUs and limits of `pid`. As late as can be: limits bind podrt's own
 * work. */
int oci_process_outside(const struct oci_process *p, pid_t pid, struct err *err);
/* The limits alone. For a pid, only what raises a hard limit, with the caller's rights: oci_process_finish sets all of them. */
int oci_process_limits(const struct oci_process *p, pid_t pid, struct err *err);
/* Signals, keyring, descriptors, umask, cwd, groups, ids, labels, no_new_privs; what is kept is only what oci_process_finish needs. */
int oci_process_become(struct oci_become *b, struct err *err);
/* The filter, where it notifies: the last before the maker is told. What we did after it would stop for an agent that has no listener yet.
 */
int oci_process_listen(struct oci_become *b, struct err *err);
/* Limits, seccomp and the final capabilities. What is left to do is to execute. */
int oci_process_finish(struct oci_become *b, struct err *err);
/*
 * What engines look for in a failure of command_find() (podman makes its own exit codes of these words): "executable file `x` not found in
 * $PATH: No such file or directory", "permission denied". Returns r.
 */
int oci_command_words(int r, const char *word, int exit_code, struct err *err);
