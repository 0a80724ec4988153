/* What podrt asks the user's systemd, over D-Bus: how often has it restarted this unit by itself, does it have a job, is it active, start
 * it, stop it. */
#pragma once
#include "util.h"

/*
 * NRestarts of a unit: 0 after a start that a person or another unit asked for. Over $XDG_RUNTIME_DIR/systemd/private, where no
 * bus is needed, else over the user's bus. At most 1 s. -ETIMEDOUT, -ECONNREFUSED, -EBADMSG; -ENOENT when the manager answers with an
 * error.
 */
int manager_restarts(const char *unit, unsigned *ret);

/*
 * Whether somebody's stop or restart of the unit is under way; its own start may be, too, when it fails. False without an answer, for
 * which it waits 20 s at most, as the next does.
 */
bool manager_is_stopping(const char *unit);

/* JobType of the unit's job: "start", "stop", "restart", "verify-active" …; empty where it has none. */
#define MANAGER_STATE_MAX 32
int manager_job(const char *unit, char ret[MANAGER_STATE_MAX]);
/* Whether the manager itself is on its way down: a logout, a reboot. False without an answer. */
bool manager_is_ending(void);

/* Queues the unit's stop, and does not wait for it. Errors as above; -ENOENT also where there is no such unit. */
int manager_stop(const char *unit);
/* Queues its start. */
int manager_start(const char *unit);

/* ActiveState of a unit: "active", "activating", "deactivating", "inactive", "failed" …; "inactive" for one that there is not. Errors as
 * above. */
int manager_state(const char *unit, char ret[MANAGER_STATE_MAX]);

/* The object path of a unit, escaped as systemd does. -ENAMETOOLONG. */
int manager_unit_path(const char *unit, char *ret, size_t size);
