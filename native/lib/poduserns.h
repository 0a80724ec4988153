/*
 * A pod's own user namespace, a child of the user's (pause's) with a part of its ids (podids.h).
 *
 * Whoever is in the user's namespace is root over all of the user's ids, and so may make files of any owner and reach what is the user's
 * alone; whoever is in the pod's may neither. So a container's file systems are made in the former, and its process goes
 * over into the latter at the very end, where net, IPC and UTS of the pod are (container.c, child.c).
 */
#pragma once
#include "podids.h"
#include "util.h"

/*
 * The calling process, root of the user's namespace, makes the pod's and is in it afterwards: with all capabilities there, but still
 * the user, who in most maps has no id there. So it can use the runtime folder as before. -EPERM: the user has not got all those ids.
 */
int poduserns_make(const struct podids *ids, struct err *err);
/* Joins one that is there, by its descriptor; as poduserns_make() ends. */
int poduserns_join(int ns, struct err *err);
/* Before an exec, which takes the capabilities of who is not root: makes all of them ambient. */
int poduserns_keep_capabilities(struct err *err);

/* The user's namespace, opened by a process in it or in a pod's own; `pidfd` is that of `pid`. For callers who are above it. */
int poduserns_open_users(int pidfd, pid_t pid, struct err *err);
/* The caller goes into the user's namespace that infra (or pause) is in or below, and is root in it. */
int poduserns_enter_users(int pidfd, pid_t pid, struct err *err);

/* Whether the maps of a process (infra) are these; the caller is in the user's namespace. -ESTALE: they are others. */
int poduserns_check(pid_t pid, const struct podids *ids, struct err *err);

/*
 * For one in the user's namespace: what it makes from now on belongs to the pod's root, and nothing else changes: it has its
 * capabilities, and thereby all of the user's files. `ids` without maps: nothing at all changes.
 */
int poduserns_act_as_root(const struct podids *ids, struct err *err);
/* Back: what is made is the user's. */
void poduserns_act_as_user(const struct podids *ids);

/* From the user's namespace into that of `infra` (a pidfd) for good, as root there, in mount and cgroup namespaces that belong to it. */
int poduserns_enter(int infra_pidfd, struct err *err);
/* The same without namespaces of its own: for exec. */
int poduserns_enter_joined(int infra_pidfd, struct err *err);
