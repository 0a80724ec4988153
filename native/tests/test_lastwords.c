/* Termination messages: what is taken of the file, what a hostile one can do; the last lines that infra keeps; clean text. */
#include "lib/lastwords.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "expect.h"
#include "lib/tail.h"
#include "lib/utf8.h"

static char folder[] = "/tmp/test_lastwords.XXXXXX";
static int dir;

static void put(const char *name, const char *bytes, size_t len) {
  cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  EXPECT(fd >= 0 && write_all(fd, bytes, len) == 0);
}

/* What is taken when the file has these bytes; it is gone then. */
static bool taken(const char *bytes, size_t len, const char *want) {
  struct err err;
  EXPECT(lastwords_make(dir, &err) == 0);
  put(LASTWORDS_FILE, bytes, len);
  cleanup_free char *words = lastwords_take(-1, "pods/web/app", dir, true);
  EXPECT(faccessat(dir, LASTWORDS_FILE, F_OK, 0) < 0);
  return want ? words && !strcmp(words, want) : !words;
}

static void test_take(void) {
  char state[200], large[LASTWORDS_MAX + 10];
  snprintf(state, sizeof state, "{\"pid\":1,\"startTime\":\"1\",\"message\":\"%s/" LASTWORDS_FILE "\"}", folder);
  put("state.json", state, strlen(state));
  EXPECT(!lastwords_take(-1, "pods/web/app", dir, true));
  EXPECT(taken("", 0, NULL));
  EXPECT(taken("disk full\n", 10, "disk full\n"));
  EXPECT(taken("a\0b\xff\xc3", 5,
               "a\xef\xbf\xbd"
               "b\xef\xbf\xbd\xef\xbf\xbd"));
  memset(large, 'x', sizeof large);
  large[10] = 'y';
  struct err err;
  EXPECT(lastwords_make(dir, &err) == 0);
  put(LASTWORDS_FILE, large, sizeof large);
  EXPECT(fchmodat(dir, LASTWORDS_FILE, 0, 0) == 0);
  cleanup_free char *words = lastwords_take(-1, "pods/web/app", dir, false);
  EXPECT(words && strlen(words) == LASTWORDS_MAX && words[0] == 'y');
  EXPECT(symlinkat("/etc/passwd", dir, LASTWORDS_FILE) == 0);
  cleanup_free char *link = lastwords_take(-1, "pods/web/app", dir, false);
  EXPECT(link && strstr(link, "cannot be read"));
}

static void test_make(void) {
  struct stat st;
  struct err err;
  put(LASTWORDS_FILE, "old", 3);
  EXPECT(lastwords_make(dir, &err) == 0 && fstatat(dir, LASTWORDS_FILE, &st, 0) == 0);
  EXPECT(st.st_size == 0 && (st.st_mode & 0777) == 0666);
}

#define KEY "USER_UNIT=u\n"

static void test_tail(void) {
  struct tail *all = NULL;
  size_t len;
  EXPECT(tail_begin(&all, "UNIT=u\n", 7) == -EINVAL && tail_begin(&all, "USER_UNIT=u", 11) == -EINVAL);
  EXPECT(tail_begin(&all, KEY "A=b\n", sizeof KEY + 3) == -EINVAL && !all);
  EXPECT(tail_begin(&all, KEY, sizeof KEY - 1) == 0);
  struct tail *t = tail_find(all, KEY "SYSLOG_IDENTIFIER=i\n", sizeof KEY + 19);
  EXPECT(t && !tail_find(all, "USER_UNIT=ux\n", 13));
  if (!t) return;
  for (int i = 0; i < 100; i++) {
    char line[8];
    tail_add(t, line, (size_t)snprintf(line, sizeof line, "%d", i), false);
  }
  const char *lines = tail_lines(t, &len);
  EXPECT(len > 4 && !strncmp(lines, "20\n21\n", 6) && !strncmp(lines + len - 3, "99\n", 3));
  char large[TAIL_BYTES * 2];
  memset(large, 'x', sizeof large);
  large[sizeof large - 1] = 'y';
  tail_add(t, large, sizeof large, true);
  tail_add(t, "end", 3, false);
  lines = tail_lines(t, &len);
  EXPECT(len == TAIL_BYTES && !strncmp(lines + len - 5, "yend\n", 5));
  EXPECT(tail_begin(&all, KEY, sizeof KEY - 1) == 0 && t->len == 0);
  (void)tail_lines(t, &len);
  EXPECT(len == 0);
  tail_free(all);
}

int main(void) {
  EXPECT(mkdtemp(folder));
  dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(dir >= 0);
  test_take();
  (void)unlinkat(dir, LASTWORDS_FILE, 0);
  test_make();
  test_tail();
  (void)unlinkat(dir, LASTWORDS_FILE, 0);
  (void)unlinkat(dir, "state.json", 0);
  close(dir);
  rmdir(folder);
  return expect_end("lastwords");
}
