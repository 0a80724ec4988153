/* For selinux.test.ts, in and outside of a container: label FILE..., their labels; label set FILE LABEL; label keys, the session keyring's.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int say(const char *what, const char *text, ssize_t n) {
  printf("%s %.*s\n", what, n < 0 ? 1000 : (int)n, n < 0 ? strerror(errno) : text);
  return n < 0;
}

int main(int argc, char **argv) {
  char text[256];
  int bad = 0;
  if (argc == 4 && !strcmp(argv[1], "set")) {
    if (lsetxattr(argv[2], "security.selinux", argv[3], strlen(argv[3]), 0) == 0) return 0;
    return say(argv[2], text, -1);
  }
  if (argc == 2 && !strcmp(argv[1], "keys"))
    return say("keys", text, syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING, text, sizeof text));
  for (int i = 1; i < argc; i++) bad |= say(argv[i], text, lgetxattr(argv[i], "security.selinux", text, sizeof text));
  return bad;
}
