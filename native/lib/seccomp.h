/* The container's seccomp filter. */
#pragma once
#include <linux/filter.h>

#include "util.h"

struct filter_program {
  const struct sock_filter *code;
  size_t n;
  unsigned flags;            /* SECCOMP_FILTER_FLAG_... */
  struct sock_filter *owned; /* to be freed, when it was compiled just now */
};

/* The default profile's program for a bounding set: one made at build where the set is usual, else compiled (about 10 ms). */
int filter_default(uint64_t bounding, struct filter_program *ret, struct err *err);

/* A profile of the user's own (io.podgen.seccomp-profile), compiled: the field's format, or the runtime-spec's. */
struct json_t;
int filter_profile(struct json_t *profile, uint64_t bounding, struct filter_program *ret, struct err *err);

/* Puts it on the calling process, for ever. Needs CAP_SYS_ADMIN in the user namespace or no_new_privs (seccomp(2)). */
int filter_load(const struct filter_program *program, struct err *err);
