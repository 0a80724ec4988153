/* The environment of a container's process. */
#pragma once
#include "bundle.h"

struct environment {
  char **vars; /* NAME=value, NULL at the end; each allocated */
  size_t n, room;
};

/* Sets NAME=value; a later one replaces an earlier one of the same name. -ENOMEM. */
int environment_set(struct environment *env, const char *name, const char *value);
int environment_add(struct environment *env, const char *assignment);
/* The value of a variable, or NULL. */
const char *environment_get(const struct environment *env, const char *name);
/*
 * process.env, then the secret variables, each read from its file (whole, at most 128 KiB; no NUL), then PATH if it is not set.
 * Errors name the variable, never a value. To be called while the host's files are reachable.
 */
int environment_make(const struct bundle *b, struct environment *ret, struct err *err);
/* HOME, unless it is set; TERM for a terminal, unless it is set. */
int environment_defaults(struct environment *env, const char *home, bool terminal);
void environment_free(struct environment *env);
