/* Sets of a Job's completion indexes: see jobindexes.h. */
#include "jobindexes.h"

/* The number at *text, which is moved behind it; -1 for none. */
static int64_t number(const char **text) {
  int64_t value = 0;
  if (**text < '0' || **text > '9') return -1;
  for (; **text >= '0' && **text <= '9'; ++*text)
    if ((value = value * 10 + (**text - '0')) > INT32_MAX) return -1;
  return value;
}

int job_indexes_parse(const char *text, bool *set, size_t n) {
  int64_t last = -1;
  while (*text) {
    const int64_t from = number(&text);
    int64_t to = from;
    if (*text == '-') {
      text++;
      to = number(&text);
    }
    if (from <= last || to < from || to >= (int64_t)n) return -EINVAL;
    for (int64_t i = from; i <= to; i++) set[i] = true;
    last = to;
    if (*text == ',' && text[1])
      text++;
    else if (*text)
      return -EINVAL;
  }
  return 0;
}

char *job_indexes_text(const bool *set, size_t n) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  if (!out) return NULL;
  const char *comma = "";
  for (size_t i = 0, to; i < n; i = to + 1) {
    to = i;
    if (!set[i]) continue;
    while (to + 1 < n && set[to + 1]) to++;
    fprintf(out, to == i ? "%s%zu" : "%s%zu-%zu", comma, i, to);
    comma = ",";
  }
  const bool failed = ferror(out);
  if (fclose(out) < 0 || failed) {
    free(text);
    return NULL;
  }
  return text;
}

size_t job_indexes_count(const bool *set, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += set[i];
  return count;
}
