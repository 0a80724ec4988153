/* The last lines of containers: see tail.h. */
#include "tail.h"

#include "relay.h"

static const char field[] = "USER_UNIT=";

int tail_begin(struct tail **all, const char *key, size_t len) {
  const size_t least = sizeof field - 1;
  if (len <= least + 1 || len > RELAY_FIELDS_MAX || memcmp(key, field, least) != 0 || memchr(key, '\n', len) != key + len - 1)
    return -EINVAL;
  struct tail *t = tail_find(*all, key, len);
  if (t) {
    t->len = 0;
    return 0;
  }
  size_t n = 0;
  for (t = *all; t; t = t->next) n++;
  if (n >= TAILS_MAX) return -ENOSPC;
  t = calloc(1, sizeof *t + len);
  if (!t) return -ENOMEM;
  t->key_len = len;
  memcpy(t->key, key, len);
  t->next = *all;
  *all = t;
  return 0;
}

struct tail *tail_find(struct tail *all, const char *fields, size_t len) {
  for (struct tail *t = all; t; t = t->next)
    if (t->key_len <= len && !memcmp(t->key, fields, t->key_len)) return t;
  return NULL;
}

static void add(struct tail *t, const char *bytes, size_t len) {
  if (len >= TAIL_BYTES) {
    bytes += len - TAIL_BYTES;
    len = TAIL_BYTES;
  }
  const size_t over = t->len + len > TAIL_BYTES ? t->len + len - TAIL_BYTES : 0;
  memmove(t->bytes, t->bytes + over, t->len - over);
  memcpy(t->bytes + t->len - over, bytes, len);
  t->len += len - over;
}

void tail_add(struct tail *t, const char *line, size_t len, bool partial) {
  add(t, line, len);
  if (!partial) add(t, "\n", 1);
}

const char *tail_lines(const struct tail *t, size_t *ret_len) {
  size_t from = t->len, lines = 0;
  /* The end of the last line begins none. */
  while (from > 0 && !(t->bytes[from - 1] == '\n' && from < t->len && ++lines == TAIL_LINES)) from--;
  *ret_len = t->len - from;
  return t->bytes + from;
}

void tail_free(struct tail *all) {
  while (all) {
    struct tail *next = all->next;
    free(all);
    all = next;
  }
}
