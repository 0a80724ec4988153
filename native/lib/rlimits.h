/* Resource limits by the names that OCI configurations use (getrlimit(2)). */
#pragma once

/* The number of "RLIMIT_NOFILE"; -EINVAL for a name that is none. */
int rlimit_number(const char *name);
