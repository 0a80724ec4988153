/*
 * The pod's namespaces, kept for the infra that follows one which was killed (keep.h): containers go on in them, and new
 * ones find those that run. Not a PID namespace, which ends with its PID 1.
 */
#pragma once
#include "infra_conf.h"
#include "keep.h"
#include "util.h"

/*
 * Stores the calling process's user, network, IPC, UTS and mount namespaces, under names with the digest of the bundle they were made for;
 * those that came in `kept` are stored already.
 */
int nskeep_store(const char *digest, const struct kept *kept, struct err *err);
void nskeep_forget(const char *digest);
/*
 * Joins those that an earlier infra of the same bundle kept: 1, and the process is in the pod's user namespace, with all rights. 0: there
 * are none, or not all of them; what another bundle's infra kept is forgotten.
 */
int nskeep_join(struct kept *kept, const struct infra_conf *conf, struct err *err);
