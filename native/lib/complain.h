/* Where a container's own failure to start is told: its unit's journal. */
#pragma once
#include "util.h"

/*
 * The line that err_print() makes, in the name of a unit. Where standard error is journald's it goes there as a datagram with USER_UNIT
 * instead, because what a process writes to the stream just before its end may lose the unit (UNITS.md 6); else to standard error.
 * `unit` and `identifier` NULL: not known (the bundle could not be read); then the service whose cgroup we are in.
 */
void complain(const struct err *err, const char *verb, const char *unit, const char *identifier);
/* The same for a warning. */
void complain_warning(const struct err *err, const char *verb, const char *unit, const char *identifier, const char *then);
/* A line as it is, with a priority of syslog's, in the name of the service we are in. */
void complain_line(int priority, const char *line);
/* The same in the name of a unit that is known. */
void complain_as(int priority, const char *line, const char *unit, const char *identifier);
