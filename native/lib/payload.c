/* Executing a payload: see payload.h. */
#include "payload.h"

#include <fcntl.h>

#include "sealed.h"

static const unsigned char program[] = {
#include "gen/payload_exec.inc"
};

int payload_open(struct err *err) {
  return sealed_program("podrt", program, sizeof program, err);
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
