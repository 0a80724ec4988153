/* Resource limits by name: see rlimits.h. */
#include "rlimits.h"

#include <sys/resource.h>

#include "util.h"

static const char *const names[RLIM_NLIMITS] = {
    [RLIMIT_AS] = "AS",         [RLIMIT_CORE] = "CORE",         [RLIMIT_CPU] = "CPU",     [RLIMIT_DATA] = "DATA",
    [RLIMIT_FSIZE] = "FSIZE",   [RLIMIT_LOCKS] = "LOCKS",       [RLIMIT_NICE] = "NICE",   [RLIMIT_MEMLOCK] = "MEMLOCK",
    [RLIMIT_NOFILE] = "NOFILE", [RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NPROC] = "NPROC", [RLIMIT_RSS] = "RSS",
    [RLIMIT_RTTIME] = "RTTIME", [RLIMIT_RTPRIO] = "RTPRIO",     [RLIMIT_STACK] = "STACK", [RLIMIT_SIGPENDING] = "SIGPENDING",
};

int rlimit_number(const char *name) {
  if (strncmp(name, "RLIMIT_", 7)) return -EINVAL;
  for (int i = 0; i < (int)RLIM_NLIMITS; i++)
    if (names[i] && !strcmp(name + 7, names[i])) return i;
  return -EINVAL;
}
