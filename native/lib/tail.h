/* The last lines of containers whose termination messages may be their logs: infra keeps them in memory, for `mark --ended`. */
#pragma once
#include "util.h"

/* As Kubernetes: that many bytes, and no more lines than this. */
enum { TAIL_BYTES = 2048, TAIL_LINES = 80, TAILS_MAX = 1000 };

struct tail {
  struct tail *next;
  size_t key_len, len;
  char bytes[TAIL_BYTES];
  char key[]; /* the container's first log field, with its end: "USER_UNIT=pod-web_app.service\n" */
};

/* Begins anew with nothing for this container. -EINVAL: it is no such field, -ENOSPC: there are too many. */
int tail_begin(struct tail **all, const char *key, size_t len);
/* The one that packed fields (relay.h) begin with; NULL where nobody asked for it. */
struct tail *tail_find(struct tail *all, const char *fields, size_t len);
/* A line, or a part of one. */
void tail_add(struct tail *t, const char *line, size_t len, bool partial);
/* Where its last lines begin. */
const char *tail_lines(const struct tail *t, size_t *ret_len);
void tail_free(struct tail *all);
