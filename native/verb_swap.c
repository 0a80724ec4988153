/* podrt swap A B: two names of one folder exchange what they are names of, in one step: whoever looks sees the one or the other. */
#include <fcntl.h>
#include <stdio.h>

#include "verbs.h"

int verb_swap(int argc, char **argv) {
  if (argc != 3 || argv[1][0] == '-') {
    fputs("usage: podrt swap A B\n", stderr);
    return 64;
  }
  struct err err = {0};
  if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0) return 0;
  /* EINVAL: the file system has no such step; the caller has another way. */
  int code = errno == EINVAL || errno == ENOSYS ? 2 : 125;
  err_set(&err, errno, "rename", "%s", argv[2]);
  err_print(&err, "swap");
  return code;
}
