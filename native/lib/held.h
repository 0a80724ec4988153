/* What infra holds open for containers: the other end of a standard input that nobody has attached to yet (stdinpipe.h). */
#pragma once
#include "keep.h"
#include "util.h"

struct held {
  struct held *next;
  int fd;
  unsigned number; /* in the name under which systemd keeps it */
  size_t key_len;
  char key[]; /* as tail.h's: "USER_UNIT=pod-web_app.service\n" */
};

/* Holds `fd`, the caller's no more, for this container, in place of what was held for it before. On error it is closed. */
int held_add(struct held **all, const char *key, size_t len, int fd);
/* -ENOENT: nothing is held for it. */
int held_drop(struct held **all, const char *key, size_t len);
/* What an earlier infra held, out of `kept`. */
void held_take_back(struct held **all, struct kept *kept);
/* Closes all; systemd still has them for the infra that follows. */
void held_free(struct held *all);
