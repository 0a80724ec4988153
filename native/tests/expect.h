/* For the unit tests: EXPECT counts failures and goes on; end main with `return expect_end("name")`. */
#pragma once
#include <stdio.h>
#include <string.h>

static int expect_failed, expect_run;

#define EXPECT(condition)                                                       \
  do {                                                                          \
    expect_run++;                                                               \
    if (!(condition)) {                                                         \
      expect_failed++;                                                          \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
    }                                                                           \
  } while (0)

static inline int expect_end(const char *name) {
  printf("%s: %d of %d failed\n", name, expect_failed, expect_run);
  return expect_failed != 0;
}
