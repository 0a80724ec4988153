/* linux.netDevices: devices of the host's network namespace that the container gets. */
#pragma once
#include "spec.h"

/* Moves them into the network namespace of `pid` by rtnetlink(7), renames them, keeps their global addresses, and sets them up if they
 * were. */
int oci_net_devices_move(const struct oci_spec *spec, int pidfd, pid_t pid, struct err *err);
