/* Turning a process into the container's: limits, seccomp, capabilities, user. The same for a container's first process and for exec. */
#pragma once
#include "bundle.h"
#include "seccomp.h"
#include "user.h"

/* Who it shall be: `words` (exec --user) if not NULL, else io.podgen.user, else process.user. Looked up in the file system `root`. */
int identity_user(const struct bundle *b, const char *words, int root, struct user *ret, struct err *err);

/* Signals, umask, session, session keyring: away from what systemd or a terminal gave us. The process becomes a session's leader. */
int identity_detach(struct err *err);

/*
 * Puts everything on, in the order that needs no privilege that has just been given away. Afterwards the caller has the payload's
 * rights, and exec is all that is left to do. The caller is root in the user namespace.
 */
int identity_apply(const struct bundle *b, const struct user *user, struct err *err);
