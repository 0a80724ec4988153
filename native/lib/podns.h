/* Making a pod's namespaces: mount, network, IPC, UTS, with host name, loopback and sysctls. */
#pragma once
#include "infra_conf.h"
#include "util.h"

/* Unshares a mount namespace and what the configuration lists (but PID), and sets it up. The caller is root in the user namespace. `warn`:
 * told of a sysctl that is left out. */
int podns_make(const struct infra_conf *conf, void (*warn)(const char *text), struct err *err);

/* Which namespace of the pod a sysctl belongs to: a CLONE_NEW... flag, or 0 when it is the whole machine's. */
int podns_sysctl_namespace(const char *name);
