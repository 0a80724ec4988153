/* Who a container's process is: see user.h. The image may hold anything, so lines that are not what passwd(5) says are passed over. */
#include "user.h"

#include "inroot.h"

enum { FILE_LIMIT = 4 * 1024 * 1024, FIELDS = 7 };

struct field {
  const char *at;
  size_t len;
};

/* The next line's fields; false at the end. Lines with less than `want` fields are left out. */
static bool next_line(const char **text, size_t want, struct field fields[FIELDS]) {
  while (**text) {
    const char *p = *text;
    size_t line = strcspn(p, "\n"), n = 0;
    *text += line + ((*text)[line] == '\n');
    const char *end = p + line;
    for (; n < FIELDS && p <= end; n++) {
      size_t len = n == FIELDS - 1 ? (size_t)(end - p) : strcspn(p, ":\n");
      fields[n] = (struct field){.at = p, .len = len};
      p += len + 1;
    }
    if (n >= want) return true;
  }
  return false;
}

static bool is(struct field f, const char *text, size_t len) {
  return f.len == len && !memcmp(f.at, text, len);
}

/* Digits alone, below 2^32-1, which means "no id" to the kernel. */
static bool number(const char *text, size_t len, uint32_t *ret) {
  uint64_t n = 0;
  if (!len || len > 10) return false;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    n = n * 10 + (uint64_t)(text[i] - '0');
  }
  if (n >= UINT32_MAX) return false;
  *ret = (uint32_t)n;
  return true;
}

static bool field_number(struct field f, uint32_t *ret) {
  return number(f.at, f.len, ret);
}

struct entry {
  struct field name, home;
  uint32_t uid, gid;
};

/* By name first: a user may be called "1000". */
static bool find_user(const char *passwd, const char *word, size_t len, struct entry *ret) {
  uint32_t wanted = 0;
  bool numeric = number(word, len, &wanted);
  for (int by_number = 0; by_number <= (numeric ? 1 : 0); by_number++) {
    const char *p = passwd;
    struct field f[FIELDS];
    while (next_line(&p, 6, f)) {
      struct entry e = {.name = f[0], .home = f[5]};
      if (!f[0].len || !field_number(f[2], &e.uid) || !field_number(f[3], &e.gid)) continue;
      if (by_number ? e.uid != wanted : !is(f[0], word, len)) continue;
      *ret = e;
      return true;
    }
  }
  return false;
}

static bool find_group(const char *group, const char *word, uint32_t *ret) {
  struct field f[FIELDS];
  while (next_line(&group, 3, f))
    if (is(f[0], word, strlen(word)) && field_number(f[2], ret)) return true;
  return number(word, strlen(word), ret);
}

static bool lists(struct field members, struct field name) {
  for (const char *p = members.at, *end = p + members.len; p < end;) {
    size_t len = 0;
    while (p + len < end && p[len] != ',') len++;
    if (is(name, p, len)) return true;
    p += len + 1;
  }
  return false;
}

static void add_groups(const char *group, struct field name, struct user *u) {
  struct field f[FIELDS];
  while (u->n_groups < USER_GROUPS_MAX && next_line(&group, 4, f)) {
    uint32_t gid;
    /* The last field of a line with four is cut at the next colon, which a member list cannot have. */
    if (field_number(f[2], &gid) && lists(f[3], name)) u->groups[u->n_groups++] = gid;
  }
}

static void set_home(struct field home, char ret[512]) {
  if (!home.len || home.len >= 512 || home.at[0] != '/')
    strcpy(ret, "/");
  else
    snprintf(ret, 512, "%.*s", (int)home.len, home.at);
}

int user_lookup_in(const char *passwd, const char *group, const char *words, struct user *ret, struct err *err) {
  size_t len = strcspn(words, ":");
  const char *group_word = words[len] ? words + len + 1 : NULL;
  struct entry e;
  *ret = (struct user){.home = "/"};
  if (!len || (group_word && !*group_word)) return err_set(err, 0, "user", "%s: expected NAME or NAME:GROUP", words);
  bool found = find_user(passwd, words, len, &e);
  if (found) {
    ret->uid = e.uid;
    ret->gid = e.gid;
    set_home(e.home, ret->home);
  } else if (!number(words, len, &ret->uid)) {
    err_set(err, 0, "user", "%.*s: not in the image's /etc/passwd", (int)len, words);
    return -ENOENT;
  }
  if (group_word) {
    if (find_group(group, group_word, &ret->gid)) return 0;
    err_set(err, 0, "user", "group %s: not in the image's /etc/group", group_word);
    return -ENOENT;
  }
  if (found) add_groups(group, e.name, ret);
  return 0;
}

/* By number only: a user named "0" is not root. */
static bool find_uid(const char *passwd, uint32_t uid, struct field fields[FIELDS]) {
  char word[16];
  uint32_t gid;
  int len = snprintf(word, sizeof word, "%u", uid);
  while (next_line(&passwd, 6, fields))
    if (is(fields[2], word, (size_t)len) && field_number(fields[3], &gid)) return true;
  return false;
}

void user_home_in(const char *passwd, uint32_t uid, char ret[512]) {
  struct field f[FIELDS];
  strcpy(ret, "/");
  if (find_uid(passwd, uid, f)) set_home(f[5], ret);
}

void user_merge_in(const char *passwd, const char *group, struct user *u) {
  struct field f[FIELDS];
  struct user image = {0};
  if (!find_uid(passwd, u->uid, f) || !f[0].len) return;
  add_groups(group, f[0], &image);
  for (size_t i = 0; i < image.n_groups && u->n_groups < USER_GROUPS_MAX; i++) {
    bool known = false;
    for (size_t k = 0; k < u->n_groups; k++) known = known || u->groups[k] == image.groups[i];
    if (!known) u->groups[u->n_groups++] = image.groups[i];
  }
}

/* "" where the image has no such file. */
static int read_table(int root, const char *path, char **ret, struct err *err) {
  int r = inroot_read_file(root, path, FILE_LIMIT, ret);
  if (r == -ENOENT || r == -ENOTDIR) r = (*ret = strdup("")) ? 0 : -ENOMEM;
  return r < 0 ? err_set(err, -r, "read", "%s", path) : 0;
}

int user_lookup(int root, const char *words, struct user *ret, struct err *err) {
  cleanup_free char *passwd = NULL;
  cleanup_free char *group = NULL;
  int r = read_table(root, "/etc/passwd", &passwd, err);
  if (r == 0) r = read_table(root, "/etc/group", &group, err);
  return r < 0 ? r : user_lookup_in(passwd, group, words, ret, err);
}

void user_merge(int root, struct user *u) {
  cleanup_free char *passwd = NULL;
  cleanup_free char *group = NULL;
  struct err ignored;
  int r = read_table(root, "/etc/group", &group, &ignored);
  if (r == 0) r = read_table(root, "/etc/passwd", &passwd, &ignored);
  if (r == 0) user_merge_in(passwd, group, u);
}

void user_home(int root, uint32_t uid, char ret[512]) {
  cleanup_free char *passwd = NULL;
  struct err ignored;
  strcpy(ret, "/");
  if (read_table(root, "/etc/passwd", &passwd, &ignored) == 0) user_home_in(passwd, uid, ret);
}
