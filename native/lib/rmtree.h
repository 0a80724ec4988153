/* Removing a folder with all that is in it, by descriptors only. */
#pragma once
#include "util.h"

/*
 * Removes `name` (one component) in `dir`, whatever it is, and everything below it; nothing else, whatever others rename
 * meanwhile: no symlink is followed and no mount point crossed. Depth costs neither stack nor descriptors. Goes on after an
 * error; err then tells the first and how many there were, and the first's negative errno is returned. 0 where there is no
 * such name. For files of subordinate ids the caller must be root in the user namespace.
 */
int rmtree_at(int dir, const char *name, struct err *err);
