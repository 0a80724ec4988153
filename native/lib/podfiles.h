/* What infra makes for its containers: hosts, resolv.conf and hostname in its run folder, and the file systems in memory. */
#pragma once
#include "infra_conf.h"
#include "util.h"

/* Where pasta answers DNS in the pod's network and forwards to the host's resolver (verb_uplink.c; pasta(1), --dns-forward). */
#define PODFILES_DNS "169.254.1.1"

/* The files, which belong to the pod's root; `dir` is the run folder. The caller is root in the user's namespace. */
int podfiles_write(int dir, const struct infra_conf *conf, struct err *err);
/* The file systems in memory; `dir` is opened in the pod's mount namespace, in which the caller is, as in its user namespace. */
int podfiles_mount(int dir, const struct infra_conf *conf, struct err *err);

/*
 * A pod's resolv.conf out of the host's (`host`): pasta's server first, then those of the host that a pod can reach,
 * which a loopback address is not; three in all, for resolvers read no more; search, options and the like as they are.
 * A new string; NULL when out of memory.
 */
char *podfiles_resolv_conf(const char *host);
