/*
 * The mark `connecting` in infra's run folder: the pod's network has no way out yet, and pasta is about to make one. Containers are
 * made ready meanwhile, but what is in them is not executed before. Pasta takes longer than all else of a pod's start.
 */
#pragma once
#include "util.h"

/* Infra's, of a new network namespace. */
int connecting_begin(int dir, struct err *err);
/* The uplink's, when it has connected the pod or knows that it cannot now. Also when there is no mark. */
void connecting_end(int dir);
/* The container's: 0 when the mark is gone; -ETIMEDOUT after CONNECTING_MS, when an uplink should long have given up. */
int connecting_wait(int dir);

#define CONNECTING_MS (45 * 1000)
