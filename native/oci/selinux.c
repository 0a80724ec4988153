/* SELinux: see selinux.h; selinux(8), go-selinux's and libselinux's idea of "enabled". */
#include "selinux.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

enum { SELINUXFS_MAGIC = (int)0xf97cff8c };

bool oci_selinux_enabled(void) {
  struct statfs fs;
  if (statfs("/sys/fs/selinux", &fs) < 0 || (int)fs.f_type != SELINUXFS_MAGIC) return false;
  cleanup_free char *own = NULL;
  return read_file_at(AT_FDCWD, "/proc/self/attr/current", 4096, &own, NULL) == 0 && strcmp(own, "kernel") != 0;
}

int oci_selinux_check(const struct oci_process *p, struct err *err) {
  if (!p->selinux || !*p->selinux || oci_selinux_enabled()) return 0;
  return err_set(err, 0, "selinuxLabel", "%s: SELinux is not enabled on this machine", p->selinux);
}

const char *oci_mount_label(const struct oci_spec *spec) {
  return spec->mount_label && *spec->mount_label && oci_selinux_enabled() ? spec->mount_label : NULL;
}

int oci_selinux_explain(const struct oci_process *p, struct err *err) {
  const int code = err->code;
  if (!p->selinux || !*p->selinux || (code != EACCES && code != EPERM)) return -code;
  return err_set(err, code, "exec", "selinuxLabel %s: the policy does not let podrt execute %s with it", p->selinux, p->args[0]);
}

void oci_selinux_payload(const struct oci_spec *spec, const struct oci_process *p, int payload) {
  const char *label = p->selinux && *p->selinux ? oci_mount_label(spec) : NULL;
  if (label) (void)fsetxattr(payload, "security.selinux", label, strlen(label), 0);
}
