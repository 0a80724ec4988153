/* One question to the user's systemd, over D-Bus: how often has it restarted this unit by itself? */
#pragma once
#include "util.h"

/*
 * NRestarts of a unit: 0 after a start that a person or another unit asked for. Over $XDG_RUNTIME_DIR/systemd/private, where no
 * bus is needed, else over the user's bus. At most 1 s. -ETIMEDOUT, -ECONNREFUSED, -EBADMSG; -ENOENT when the manager answers with an
 * error.
 */
int manager_restarts(const char *unit, unsigned *ret);

/* The object path of a unit, escaped as systemd does. -ENAMETOOLONG. */
int manager_unit_path(const char *unit, char *ret, size_t size);
