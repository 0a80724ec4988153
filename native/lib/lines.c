/* Cutting bytes into lines: see lines.h. */
#include "lines.h"

#include <sys/mman.h>

enum { FIRST_CAP = 4096 };

void line_free(struct line_cutter *c) {
  if (c->kept) munmap(c->kept, c->cap);
  c->kept = NULL;
  c->len = c->cap = 0;
}

/* Makes room for `more` bytes. Anonymous mappings, not malloc: what is given back is really gone, and nothing fragments. */
static int reserve(struct line_cutter *c, size_t more) {
  size_t cap = c->cap ? c->cap : FIRST_CAP;
  while (cap < c->len + more) cap *= 2;
  if (cap == c->cap) return 0;
  void *p =
      c->kept ? mremap(c->kept, c->cap, cap, MREMAP_MAYMOVE) : mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return -ENOMEM;
  c->kept = p;
  c->cap = cap;
  return 0;
}

static int offer(const struct line_cutter *c, const char *line, size_t len, bool partial, line_fn emit, void *context) {
  if (c->strip_cr && !partial && len && line[len - 1] == '\r') len--;
  return emit(context, line, len, partial);
}

/* Offers the kept bytes and forgets them, unless it is not the time. */
static int offer_kept(struct line_cutter *c, bool partial, line_fn emit, void *context) {
  int r = offer(c, c->kept, c->len, partial, emit, context);
  if (r == -EAGAIN) return r;
  /* A page is kept for the next partial line; more was for a long one and goes back. */
  if (c->cap > FIRST_CAP) line_free(c);
  c->len = 0;
  return 0;
}

size_t line_cut(struct line_cutter *c, const char *bytes, size_t len, line_fn emit, void *context) {
  size_t used = 0;
  while (used < len) {
    const char *p = bytes + used;
    const char *end = memchr(p, '\n', len - used);
    size_t n = end ? (size_t)(end - p) : len - used;
    if (!c->len && end && n <= LINE_MAX_BYTES) { /* the common case: nothing is copied */
      if (offer(c, p, n, false, emit, context) == -EAGAIN) break;
      used += n + 1;
      continue;
    }
    if (c->len == LINE_MAX_BYTES && n) {
      if (offer_kept(c, true, emit, context) < 0) break;
      continue;
    }
    size_t room = LINE_MAX_BYTES - c->len, take = n < room ? n : room;
    if (take) {
      if (reserve(c, take) == 0) {
        memcpy(c->kept + c->len, p, take);
        c->len += take;
      } else if (c->len) { /* no memory: the line goes out in pieces rather than not at all */
        if (offer_kept(c, true, emit, context) < 0) break;
        continue;
      } else if (offer(c, p, take, true, emit, context) == -EAGAIN) {
        break;
      }
      used += take;
    } else { /* n is 0: the line's end */
      if (offer_kept(c, false, emit, context) < 0) break;
      used++;
    }
  }
  return used;
}

int line_end(struct line_cutter *c, line_fn emit, void *context) {
  return c->len ? offer_kept(c, false, emit, context) : 0;
}
