/* Names from archives: what is cleaned, refused, and taken for a whiteout. */
#include "lib/tarpath.h"

#include "expect.h"

static const struct tarpath_limits wide = {.name = PATH_MAX - 1, .depth = 256};

/* The cleaned name, or NULL with *code set. */
static const char *clean(const char *name, const struct tarpath_limits *limits, int *code) {
  static char out[PATH_MAX];
  struct err err = {0};
  *code = tarpath_clean(name, limits, out, &err);
  if (*code < 0) EXPECT(err.step[0] && err.what[0]);
  return *code < 0 ? NULL : out;
}

static void test_clean(void) {
  static const struct {
    const char *name, *want; /* NULL: refused */
  } cases[] = {
      {"a", "a"},
      {"./a/b", "a/b"},
      {"/a", "a"},
      {"//a///b//", "a/b"},
      {"./", ""},
      {".", ""},
      {"/", ""},
      {"a/./b", "a/b"},
      {"...", "..."},
      {"..a/b..", "..a/b.."},
      {"a\nb", "a\nb"},
      {"\xff\xfe", "\xff\xfe"},
      {"", NULL},
      {"..", NULL},
      {"../x", NULL},
      {"a/../b", NULL},
      {"a/..", NULL},
      {"/..", NULL},
      {"./../../etc", NULL},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    int code;
    const char *got = clean(cases[i].name, &wide, &code);
    EXPECT((got == NULL) == (cases[i].want == NULL));
    if (got && cases[i].want) {
      EXPECT(!strcmp(got, cases[i].want));
      EXPECT((size_t)code == strlen(got));
    } else {
      EXPECT(code == -EINVAL);
    }
  }
}

static void test_limits(void) {
  char part[NAME_MAX + 2], path[2 * PATH_MAX + 1] = "";
  int code;
  memset(part, 'x', sizeof part);
  part[NAME_MAX] = 0;
  EXPECT(clean(part, &wide, &code) != NULL);
  part[NAME_MAX] = 'x';
  part[NAME_MAX + 1] = 0;
  EXPECT(!clean(part, &wide, &code) && code == -ENAMETOOLONG);

  const struct tarpath_limits tight = {.name = 5, .depth = 2};
  EXPECT(clean("ab/cd", &tight, &code) != NULL);
  EXPECT(!clean("ab/cde", &tight, &code) && code == -ENAMETOOLONG);
  EXPECT(!clean("a/b/c", &tight, &code) && code == -ENAMETOOLONG);
  EXPECT(clean("///./ab/./cd//", &tight, &code) != NULL);

  for (int i = 0; i < PATH_MAX; i++) strcat(path, "a/");
  const struct tarpath_limits deep = {.name = SIZE_MAX, .depth = PATH_MAX};
  EXPECT(!clean(path, &deep, &code) && code == -ENAMETOOLONG);
  path[PATH_MAX - 1] = 0;
  EXPECT(clean(path, &deep, &code) != NULL);
}

static void test_classify(void) {
  static const struct {
    const char *path;
    int kind; /* negative: refused */
    const char *left;
  } cases[] = {
      {"a", TARPATH_ENTRY, "a"},
      {"a/.why", TARPATH_ENTRY, "a/.why"},
      {"a.wh.b", TARPATH_ENTRY, "a.wh.b"},
      {".wh.a", TARPATH_WHITEOUT, "a"},
      {"d/.wh.a", TARPATH_WHITEOUT, "d/a"},
      {"d/.wh...a", TARPATH_WHITEOUT, "d/..a"},
      {".wh..wh..opq", TARPATH_OPAQUE, ""},
      {"d/e/.wh..wh..opq", TARPATH_OPAQUE, "d/e"},
      {".wh..wh.plnk", TARPATH_META, NULL},
      {"d/.wh..wh.x", TARPATH_META, NULL},
      {".wh.d/x", TARPATH_META, NULL},
      {"a/.wh.d/.wh.x", TARPATH_META, NULL},
      {".wh..wh.plnk/1.2", TARPATH_META, NULL},
      {".wh.", -EINVAL, NULL},
      {"d/.wh..", -EINVAL, NULL},
      {"d/.wh...", -EINVAL, NULL},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    char path[64];
    struct err err = {0};
    strcpy(path, cases[i].path);
    EXPECT(tarpath_classify(path, &err) == cases[i].kind);
    if (cases[i].left) EXPECT(!strcmp(path, cases[i].left));
  }
}

static void test_show(void) {
  char out[32];
  tarpath_show("plain é 名", out, sizeof out);
  EXPECT(!strcmp(out, "plain é 名"));
  tarpath_show("a\nb\\\x1b\xff\x7f", out, sizeof out);
  EXPECT(!strcmp(out, "a\\x0ab\\x5c\\x1b\\xff\\x7f"));
  tarpath_show("\xc0\xaf\xed\xa0\x80", out, sizeof out); /* overlong, surrogate */
  EXPECT(!strcmp(out, "\\xc0\\xaf\\xed\\xa0\\x80"));
  tarpath_show("\xe5\x90", out, sizeof out); /* cut off */
  EXPECT(!strcmp(out, "\\xe5\\x90"));
  char small[10];
  tarpath_show("abcdefghijklm", small, sizeof small);
  EXPECT(strlen(small) < sizeof small && !strcmp(small + strlen(small) - 3, "…"));
}

int main(void) {
  test_clean();
  test_limits();
  test_classify();
  test_show();
  return expect_end("tarpath");
}
