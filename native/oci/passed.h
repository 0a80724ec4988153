/* Descriptors that the caller of an OCI runtime passes on to the container: LISTEN_FDS and --preserve-fds. */
#pragma once
#include "lib/util.h"

/*
 * How many from 3 up, by the option's word (or NULL) and sd_listen_fds(3). To be called before podrt opens anything. runc has those of
 * LISTEN_FDS first and those of the option after them; podman counts the former in the option, too. So what the option says must be open,
 * and what LISTEN_FDS adds counts as far as it is open, so that never a descriptor of podrt's own is among them; nothing of it where
 * fewer are open than it says. *ret_listen is LISTEN_FDS for the
 * container's environment, or NULL.
 */
int oci_passed(const char *option, unsigned *ret, const char **ret_listen, struct err *err);
