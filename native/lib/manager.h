/* One question to the user's systemd, over D-Bus written by hand: how often has it restarted this unit by itself? */
#pragma once
#include "util.h"

/*
 * NRestarts of a unit: 0 after a start that a person or another unit asked for. Over $XDG_RUNTIME_DIR/systemd/private, where no
 * bus is needed, else over the user's bus. At most 1 s. -ETIMEDOUT, -ECONNREFUSED, -EBADMSG; -ENOENT when the manager answers with an
 * error.
 */
int manager_restarts(const char *unit, unsigned *ret);

/* --- parts of it, for tests --- */

/* The object path of a unit, escaped as systemd does. -ENAMETOOLONG. */
int manager_unit_path(const char *unit, char *ret, size_t size);
/* A method call with string arguments, in the wire format of the D-Bus specification, little-endian. Returns its length, or -E2BIG. */
int manager_call(unsigned char *buf, size_t size, uint32_t serial, const char *destination, const char *path, const char *interface,
                 const char *member, const char *const *args, size_t n_args);
/* Reads a message: 0 it is not whole yet; else its length, with type (2 return, 3 error) and, for a reply holding a variant of uint32,
 * that. */
int manager_reply(const unsigned char *buf, size_t len, unsigned *ret_type, uint32_t *ret_to, bool *ret_has_value, uint32_t *ret_value);
