/*
 * Test tool: handover INFRA_DIR UNIT IDENTIFIER FIELDS_JSON|- pipe|tty CMD…
 * Does what `podrt run` does with a container's output: pipes (or a terminal) are handed over to infra, then CMD runs with them.
 */
#include <fcntl.h>

#include "lib/relay.h"

static void die(const struct err *err) {
  err_print(err, "handover");
  exit(125);
}

int main(int argc, char **argv) {
  struct err err;
  if (argc < 7) return 64;
  const char *fields = strcmp(argv[4], "-") ? argv[4] : NULL;
  int dir = open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC), out[2] = {-1, -1}, error[2] = {-1, -1}, tty = -1;
  if (!strcmp(argv[5], "tty")) {
    tty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (tty < 0 || grantpt(tty) < 0 || unlockpt(tty) < 0) return 125;
    out[1] = error[1] = open(ptsname(tty), O_RDWR | O_NOCTTY | O_CLOEXEC);
  } else if (pipe2(out, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0) {
    return 125;
  }
  if (relay_hand_over(dir, out[0], error[0], tty, argv[2], argv[3], fields, &err) < 0) die(&err);
  if (dup2(out[1], 1) < 0 || dup2(error[1], 2) < 0) return 125;
  execvp(argv[6], argv + 6);
  return 127;
}
