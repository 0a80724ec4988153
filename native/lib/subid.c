/* Subordinate ids: see subid.h. */
#include "subid.h"

#include <pwd.h>

void subid_user_name(uid_t uid, char ret[64]) {
  snprintf(ret, 64, "%u", (unsigned)uid);
  cleanup_file FILE *f = fopen("/etc/passwd", "re");
  if (!f) return;
  for (struct passwd *p; (p = fgetpwent(f));)
    if (p->pw_uid == uid && strlen(p->pw_name) < 64) {
      strcpy(ret, p->pw_name);
      return;
    }
}

/* "NAME:FIRST:COUNT"; false when it is not that, or beyond what an id can be ((uid_t)-1 is none). */
static bool parse_line(char *line, const char **ret_name, struct subid_range *ret) {
  char *save = NULL, *end;
  const char *name = strtok_r(line, ":", &save), *first = strtok_r(NULL, ":", &save), *count = strtok_r(NULL, ":\n", &save);
  if (!name || !first || !count || *first < '0' || *first > '9' || *count < '0' || *count > '9') return false;
  errno = 0;
  unsigned long long a = strtoull(first, &end, 10);
  if (*end || errno) return false;
  unsigned long long n = strtoull(count, &end, 10);
  if ((*end && *end != '\n') || errno || n == 0 || n > UINT32_MAX || a + n > UINT32_MAX) return false;
  *ret_name = name;
  *ret = (struct subid_range){.first = (uint32_t)a, .count = (uint32_t)n};
  return true;
}

static bool overlap(const struct subid_range *a, const struct subid_range *b) {
  return a->first < (uint64_t)b->first + b->count && b->first < (uint64_t)a->first + a->count;
}

static int by_first(const void *a, const void *b) {
  const struct subid_range *x = a, *y = b;
  return x->first < y->first ? -1 : x->first > y->first;
}

int subid_read(const char *file, const char *name, uid_t uid, uint32_t own, struct subid *ret) {
  ret->n = 0;
  cleanup_file FILE *f = fopen(file, "re");
  if (!f) return errno == ENOENT ? 0 : -errno;
  char digits[16];
  snprintf(digits, sizeof digits, "%u", (unsigned)uid);
  const struct subid_range self = {.first = own, .count = 1};
  uint64_t total = 1;
  cleanup_free char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, f) >= 0 && ret->n < SUBID_MAX) {
    const char *who;
    struct subid_range range;
    if (!parse_line(line, &who, &range) || (strcmp(who, name) && strcmp(who, digits))) continue;
    bool taken = overlap(&range, &self);
    for (size_t i = 0; i < ret->n; i++) taken |= overlap(&range, &ret->range[i]);
    if (taken || total + range.count > UINT32_MAX) continue;
    total += range.count;
    ret->range[ret->n++] = range;
  }
  if (ferror(f)) return -EIO;
  qsort(ret->range, ret->n, sizeof ret->range[0], by_first);
  return 0;
}

uint32_t subid_first_free(const char *subuid, const char *subgid) {
  uint64_t end = 100000;
  const char *files[] = {subuid, subgid};
  for (size_t i = 0; i < N_ELEMENTS(files); i++) {
    cleanup_file FILE *f = fopen(files[i], "re");
    if (!f) continue;
    cleanup_free char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, f) >= 0) {
      const char *who;
      struct subid_range range;
      if (!parse_line(line, &who, &range)) continue;
      if ((uint64_t)range.first + range.count > end) end = (uint64_t)range.first + range.count;
    }
  }
  return end == 100000 ? 100000 : (uint32_t)((end + 65535) / 65536 * 65536);
}
