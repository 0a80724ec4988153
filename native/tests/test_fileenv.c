/* Kubernetes' env files: what is a value, what is none, and where the error is. */
#include "expect.h"
#include "lib/fileenv.h"

static bool finds(const char *text, const char *key, const char *wanted) {
  char *value = NULL;
  unsigned line;
  int r = fileenv_find(text, key, &value, &line);
  bool ok = wanted ? r == 1 && !strcmp(value, wanted) : r == 0;
  free(value);
  return ok;
}

/* The line of the error, 0 where there is none. */
static unsigned fails(const char *text) {
  char *value = NULL;
  unsigned line = 0;
  int r = fileenv_find(text, "KEY", &value, &line);
  free(value);
  return r == -EINVAL ? line : 0;
}

int main(void) {
  static const char text[] =
      "# comment = 'x'\n\n   \n  A='one'\nB='two # no comment\nnext = line' # comment\nA='again'\r\nEMPTY=''\nNONE=\nBLANK= # x\nC='$(A) "
      "\\n \"'";
  EXPECT(finds(text, "A", "one") && finds(text, "B", "two # no comment\nnext = line") && finds(text, "C", "$(A) \\n \""));
  EXPECT(finds(text, "EMPTY", "") && finds(text, "NONE", "") && finds(text, "BLANK", ""));
  EXPECT(finds(text, "next", NULL) && finds(text, "comment", NULL) && finds("", "A", NULL) && finds("A='1'", "A", "1"));
  static const struct {
    const char *text;
    unsigned line;
  } bad[] = {{"A=x", 1},       {"\n\nA = 'x'", 3}, {"A='x", 1},    {"A='1\n2'\nB='x'y", 3}, {"='x'", 1},       {"A", 1},
             {"A B='x'", 1},   {"A='x' y", 1},     {"A=\"x\"", 1}, {"export A='x'", 1},     {"A='x'\r\rB", 1}, {"A=''''", 1},
             {"#\n#\nA='", 3}, {"A= 'x'", 1}};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(fails(bad[i].text) == bad[i].line);
  /* What was found before an error counts. */
  EXPECT(finds("A='1'\nbroken", "A", "1"));
  return expect_end("fileenv");
}
