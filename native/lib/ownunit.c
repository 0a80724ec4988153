/* The unit that we are started as: see ownunit.h. */
#include "ownunit.h"

#include <fcntl.h>

/* By systemd's own hierarchy: cgroup2, or the named one of a hybrid machine. */
char *own_unit(void) {
  cleanup_free char *text = NULL;
  char *save = NULL;
  if (read_file_at(AT_FDCWD, "/proc/self/cgroup", 64 * 1024, &text, NULL) < 0) return NULL;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    const char *name = strrchr(line, '/');
    const char *dot = name ? strrchr(name, '.') : NULL;
    if ((strncmp(line, "0::", 3) && !strstr(line, ":name=systemd:")) || !dot || strcmp(dot, ".service")) continue;
    return strdup(name + 1);
  }
  return NULL;
}
