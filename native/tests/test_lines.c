/* Cutting into lines: every way the bytes can be split over reads gives the same lines. */
#include "expect.h"
#include "lib/lines.h"

struct seen {
  char *text; /* lines joined by '|', pieces by '~' */
  size_t len, cap, count;
  size_t refuse; /* say -EAGAIN to every so manieth offer */
  size_t offers;
};

static int see(void *context, const char *line, size_t len, bool partial) {
  struct seen *s = context;
  s->offers++;
  if (s->refuse && s->offers % s->refuse == 0) return -EAGAIN;
  if (s->len + len + 1 > s->cap) {
    s->cap = (s->len + len + 1) * 2;
    s->text = realloc(s->text, s->cap);
    if (!s->text) abort();
  }
  memcpy(s->text + s->len, line, len);
  s->len += len;
  s->text[s->len++] = partial ? '~' : '|';
  s->count++;
  return 0;
}

static void feed(struct line_cutter *c, const char *bytes, size_t len, size_t step, struct seen *s) {
  for (size_t at = 0; at < len; at += step) {
    size_t n = len - at < step ? len - at : step, used = 0;
    for (int tries = 0; used < n && tries < 1000; tries++) used += line_cut(c, bytes + at + used, n - used, see, s);
    EXPECT(used == n);
  }
}

static void expect_lines(const char *input, size_t len, bool strip_cr, const char *wanted, size_t wanted_len) {
  for (size_t step = 1; step <= len; step++)
    for (size_t refuse = 0; refuse < 4; refuse += 2) {
      struct line_cutter c = {.strip_cr = strip_cr};
      struct seen s = {.refuse = refuse};
      feed(&c, input, len, step, &s);
      while (line_end(&c, see, &s) == -EAGAIN) {
      }
      EXPECT(s.len == wanted_len && !memcmp(s.text, wanted, wanted_len));
      line_free(&c);
      free(s.text);
    }
}

#define LINES(input, strip, wanted) expect_lines(input, sizeof(input) - 1, strip, wanted, sizeof(wanted) - 1)

static void test_long(void) {
  /* One byte short of the limit, at it, one beyond, and three pieces. */
  const struct {
    size_t len;
    size_t pieces;
  } cases[] = {{LINE_MAX_BYTES - 1, 1}, {LINE_MAX_BYTES, 1}, {LINE_MAX_BYTES + 1, 2}, {LINE_MAX_BYTES * 2 + 5, 3}};
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    struct line_cutter c = {0};
    struct seen s = {0};
    char *input = malloc(cases[i].len + 5);
    if (!input) abort();
    memset(input, 'x', cases[i].len);
    memcpy(input + cases[i].len, "\nend\n", 5);
    feed(&c, input, cases[i].len + 5, 8192, &s);
    EXPECT(s.count == cases[i].pieces + 1);
    size_t partial = 0, bytes = 0;
    for (size_t k = 0; k < s.len; k++) partial += s.text[k] == '~', bytes += s.text[k] == 'x';
    EXPECT(partial == cases[i].pieces - 1 && bytes == cases[i].len);
    EXPECT(s.len >= 4 && !memcmp(s.text + s.len - 4, "end|", 4));
    EXPECT(c.cap <= 4096); /* the memory went back */
    line_free(&c);
    free(input);
    free(s.text);
  }
}

int main(void) {
  LINES("one\ntwo\n", false, "one|two|");
  LINES("one\n\n\ntwo", false, "one|||two|");
  LINES("no end", false, "no end|");
  LINES("\n", false, "|");
  LINES("a\0b\xff\n\x01", false, "a\0b\xff|\x01|");
  LINES("dos\r\nb\r\n", false, "dos\r|b\r|");
  LINES("dos\r\n\r\na\rb\n", true, "dos||a\rb|");
  struct line_cutter c = {0};
  struct seen s = {0};
  EXPECT(line_end(&c, see, &s) == 0 && s.count == 0);
  test_long();
  return expect_end("lines");
}
