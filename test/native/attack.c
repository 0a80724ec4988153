/* What a hostile process tries, for hardening.test.ts. Built statically, run on the host and in containers. */
#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *name(long r) {
  return r < 0 ? strerrorname_np(errno) : "done";
}

/* Types a character into the terminal that standard output is, before and after an attempt to make it the controlling one. */
static int terminal(void) {
  char c = '!';
  printf("terminal %d ", isatty(1));
  printf("sti %s ", name(ioctl(1, TIOCSTI, &c)));
  printf("ctty %s ", name(ioctl(1, TIOCSCTTY, 0)));
  printf("steal %s ", name(ioctl(1, TIOCSCTTY, 1)));
  printf("sti %s\n", name(ioctl(1, TIOCSTI, &c)));
  return 0;
}

/* A session with a key, and in it another program; or a look for the key. */
static int keys(char **words) {
  if (words[0]) {
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
        syscall(SYS_add_key, "user", "podgen-secret", "x", 1, KEY_SPEC_SESSION_KEYRING) < 0)
      perror("key");
    execvp(words[0], words);
    return 127;
  }
  long spec[] = {KEY_SPEC_SESSION_KEYRING, KEY_SPEC_PROCESS_KEYRING, KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING};
  for (unsigned i = 0; i < sizeof spec / sizeof *spec; i++)
    printf("%s ", name(syscall(SYS_keyctl, KEYCTL_SEARCH, spec[i], "user", "podgen-secret", 0)));
  puts("");
  return 0;
}

int main(int argc, char **argv) {
  if (argc >= 2 && !strcmp(argv[1], "terminal")) return terminal();
  if (argc >= 2 && !strcmp(argv[1], "keys")) return keys(argv + 2);
  return 64;
}
