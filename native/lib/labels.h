/* Labels of security modules that a process sets for itself, by its own files in /proc. */
#pragma once
#include "util.h"

/*
 * Writes to a file of our own in /proc, whatever the container has made of that: only by the root of a procfs, and not by what was mounted
 * over one of its files, which could be another file of a procfs (CVE-2019-16884, CVE-2025-52881). `root`: O_PATH of the container's "/";
 * `path`: below /proc.
 */
int labels_write(int root, const char *path, const char *text);
/* What is executed next has this AppArmor profile (apparmor.d(5)). */
int labels_apparmor(int root, const char *profile, struct err *err);
