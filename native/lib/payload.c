/* Executing a payload: see payload.h. */
#include "payload.h"

#include <fcntl.h>
#include <sys/mman.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static const unsigned char program[] = {
#include "gen/payload_exec.inc"
};

int payload_open(struct err *err) {
  /* vm.memfd_noexec=1 wants MFD_EXEC, kernels before 6.3 do not know it. */
  cleanup_fd int fd = memfd_create("podrt", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd < 0 && errno == EINVAL) fd = memfd_create("podrt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return err_set(err, errno, "memfd", "%s", errno == EACCES ? "vm.memfd_noexec=2 forbids it" : "");
  int r = write_all(fd, program, sizeof program);
  if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) r = -errno;
  return r < 0 ? err_set(err, -r, "memfd", "%s", "") : steal_fd(&fd);
}

int payload_exec(int fd, const char *path, char *const *argv, char *const *env, struct err *err) {
  size_t n = 0;
  while (argv[n]) n++;
  cleanup_free char **words = calloc(n + 2, sizeof *words);
  if (!words) return err_set(err, ENOMEM, "exec", "%s", path);
  words[0] = (char *)path;
  memcpy(words + 1, argv, n * sizeof *words);
  execveat(fd, "", words, env, AT_EMPTY_PATH);
  const int code = errno;
  char own[32];
  /* A seccomp profile made by watching programs may know execve(2) alone. */
  snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
  if (code == EPERM || code == EACCES || code == ENOSYS) execve(own, words, env);
  errno = code;
  return err_set(err, errno, "exec", "%s", path);
}
