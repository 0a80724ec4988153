/* The host's devices in the /dev of a privileged container. */
#pragma once
#include "util.h"

/*
 * Binds each device of the host's /dev that the caller may open, for reading or writing, to the same name below `dev`, a new /dev that only
 * we can change; names that are there stay. Not terminals and consoles, which are where somebody types; not links, and nothing of file
 * systems that a container has of its own (pts, shm, mqueue).
 */
int hostdev_bind_all(int dev, struct err *err);
