/* Cutting a stream of bytes into lines, with next to no memory while lines are short. */
#pragma once
#include "util.h"

/* A line is kept together up to here; a longer one goes out in pieces of this size, all but the last marked as partial. */
#define LINE_MAX_BYTES (1024 * 1024)

struct line_cutter {
  char *kept; /* the beginning of a line whose end was not read yet; mapped, so that it goes back to the kernel at once */
  size_t len, cap;
  bool strip_cr; /* a terminal ends its lines with CR LF */
};

/* Takes a line without its end. `partial`: the line goes on in the next piece. -EAGAIN: not now, the same line will be offered again. */
typedef int (*line_fn)(void *context, const char *line, size_t len, bool partial);

/*
 * Offers the lines that end in `bytes`, and keeps the rest. Returns how many bytes were used, all of them unless
 * emit said -EAGAIN: then the caller comes back with the rest later. Another error of emit loses that line alone.
 */
size_t line_cut(struct line_cutter *c, const char *bytes, size_t len, line_fn emit, void *context);
/* At the end of the stream: offers what is kept, if anything. -EAGAIN as above. */
int line_end(struct line_cutter *c, line_fn emit, void *context);
void line_free(struct line_cutter *c);
