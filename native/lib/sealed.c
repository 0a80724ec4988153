/* Sealed programs: see sealed.h. */
#include "sealed.h"

#include <fcntl.h>
#include <sys/mman.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int sealed_program(const char *name, const void *bytes, size_t len, struct err *err) {
  /* vm.memfd_noexec=1 wants MFD_EXEC, kernels before 6.3 do not know it. */
  cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return err_set(err, errno, "memfd", "%s", errno == EACCES ? "vm.memfd_noexec=2 forbids it" : "");
  int r = write_all(fd, bytes, len);
  if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) r = -errno;
  return r < 0 ? err_set(err, -r, "memfd", "%s", "") : steal_fd(&fd);
}
