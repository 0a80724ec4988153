/* Joining a pod's network alone: for what asks its servers, from a process that is thrown away. */
#pragma once
#include "util.h"

/*
 * Joins the user and network namespaces of the infra of run folder `join` ("pods/web/_infra"); nothing where it has the host's network, in
 * which we are. Infra is to be found at once: it runs, or there is nothing to be asked. The caller has one thread. -ESRCH.
 */
int podnet_enter(const char *join, struct err *err);
