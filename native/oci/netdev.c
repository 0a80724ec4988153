/* linux.netDevices: see netdev.h. */
#include "netdev.h"

int oci_net_devices_move(const struct oci_spec *spec, int pidfd, pid_t pid, struct err *err) {
  (void)pidfd;
  (void)pid;
  return err_set(err, 0, "netDevices", "%s: not supported", spec->net_devices[0].name);
}
