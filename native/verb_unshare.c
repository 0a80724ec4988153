/*
 * podrt unshare [--] CMD…: runs a command as root of the user namespace: pause's when it lives, else one of its own. Its mount namespace is
 * its own: what it mounts goes with the last of its processes, and nobody else sees it.
 */
#include <sched.h>

#include "lib/userns.h"
#include "verbs.h"

int verb_unshare(int argc, char **argv) {
  int first = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;
  if (first >= argc || (first == 1 && argv[1][0] == '-')) {
    fputs("usage: podrt unshare [--] COMMAND [ARGUMENT…]\n", stderr);
    return 64;
  }
  struct err err;
  struct userns_map map;
  if (userns_enter(&map, &err) < 0) {
    err_print(&err, "unshare");
    return 125;
  }
  if (unshare(CLONE_NEWNS) < 0) {
    err_set(&err, errno, "unshare", "%s", "mount namespace");
    err_print(&err, "unshare");
    return 125;
  }
  if (map.single) fprintf(stderr, "podrt: unshare: warning: %s\n", map.reason);
  execvp(argv[first], argv + first);
  int code = errno == ENOENT ? 127 : 126;
  err_set(&err, errno, "exec", "%s", argv[first]);
  err_print(&err, "unshare");
  return code;
}
