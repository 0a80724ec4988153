/* Paths of a hostile root: links out of it, to nothing, in circles; and what is found executable in it. */
#include "lib/inroot.h"

#include <fcntl.h>

#include "expect.h"
#include "lib/command.h"

static char base[] = "/tmp/podrt-inroot-XXXXXX";
static int root;

static bool exists_outside(const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", base, name);
  return access(path, F_OK) == 0;
}

static bool exists_inside(const char *name) {
  return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool target(const char *path, bool folder) {
  cleanup_fd int fd = inroot_make_target(root, path, folder);
  return fd >= 0;
}

static void make(const char *path, const char *text, mode_t mode) {
  cleanup_fd int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  EXPECT(fd >= 0 && write_all(fd, text, strlen(text)) == 0 && fchmod(fd, mode) == 0);
}

static void test_targets(void) {
  EXPECT(target("/a/b/c", true) && exists_inside("a/b/c"));
  EXPECT(target("/a/file", false) && exists_inside("a/file"));
  EXPECT(target("a//b/./../b/d", true) && exists_inside("a/b/d"));
  /* Absolute links lead to the same place below the root, also when nothing is there yet. */
  EXPECT(symlinkat("/abs/there", root, "link") == 0 && target("/link/x", true) && exists_inside("abs/there/x"));
  /* Out by ..: ends at the root. */
  EXPECT(symlinkat("../../../../outside", root, "up") == 0 && target("/up/x", true));
  EXPECT(exists_inside("outside/x") && !exists_outside("outside"));
  EXPECT(target("/../../etc/passwd", false) && exists_inside("etc/passwd"));
  /* A file target by way of a link to nothing. */
  EXPECT(symlinkat("/run/resolv.conf", root, "etc/resolv.conf") == 0 && target("/etc/resolv.conf", false) &&
         exists_inside("run/resolv.conf"));
  EXPECT(symlinkat("circle", root, "circle") == 0 && !target("/circle", true) && !target("/circle/x", true));
  EXPECT(!target("/a/file/x", true) && !target("/a", false) && !target("/a/file", true));
  char longest[5000];
  memset(longest, 'a', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  EXPECT(inroot_make_target(root, longest, true) == -ENAMETOOLONG);
}

static void test_beneath(void) {
  EXPECT(symlinkat("/tmp", root, "a/out") == 0 && symlinkat("b", root, "a/in") == 0);
  cleanup_fd int a = openat(root, "a", O_PATH);
  cleanup_fd int in = inroot_open(a, "in", O_PATH, INROOT_BENEATH);
  EXPECT(in >= 0);
  EXPECT(inroot_open(a, "out", O_PATH, INROOT_BENEATH) == -EXDEV);
  EXPECT(inroot_open(a, "../a", O_PATH, INROOT_BENEATH) == -EXDEV);
  EXPECT(inroot_make_dir(a, "out/new", 0755, INROOT_BENEATH) == -EXDEV);
  cleanup_fd int made = inroot_make_dir(a, "in/new/er", 0755, INROOT_BENEATH);
  EXPECT(made >= 0 && exists_inside("a/b/new/er"));
}

static void test_read(void) {
  cleanup_free char *text = NULL;
  make("plain", "text", 0644);
  EXPECT(inroot_read_file(root, "/plain", 100, &text) == 0 && !strcmp(text, "text"));
  cleanup_free char *none = NULL;
  EXPECT(inroot_read_file(root, "/plain", 3, &none) == -EFBIG);
  EXPECT(inroot_read_file(root, "/not", 3, &none) == -ENOENT);
  EXPECT(inroot_read_file(root, "/a", 3, &none) == -ENOENT);
  EXPECT(mkfifoat(root, "fifo", 0644) == 0 && inroot_read_file(root, "/fifo", 3, &none) == -ENOENT);
}

static int find(const char *word, char **ret, struct err *err) {
  const struct command_wish wish = {.root = root, .word = word, .path = "/none:/usr/bin:bin:", .cwd = "/a"};
  int code = 0;
  int r = command_find(&wish, ret, &code, err);
  return r == 0 ? 0 : code;
}

static void finds(const char *word, const char *want) {
  cleanup_free char *path = NULL;
  struct err err = {0};
  EXPECT(find(word, &path, &err) == 0);
  EXPECT(path && !strcmp(path, want));
}

static void fails(const char *word, int code, const char *words) {
  cleanup_free char *path = NULL;
  struct err err = {0};
  int got = find(word, &path, &err);
  if (got != code || !strstr(err.what, words)) fprintf(stderr, "%s: %d %s\n", word, got, err.what);
  EXPECT(got == code && strstr(err.what, words));
}

static void test_command(void) {
  static const char elf[64] = {0x7f, 'E', 'L', 'F', 2, 1, 1, [18] = 0x3e};
  EXPECT(target("/usr/bin", true) && target("/a/bin", true));
  cleanup_fd int fd = openat(root, "usr/bin/native", O_WRONLY | O_CREAT, 0755);
#if defined(__aarch64__)
  EXPECT(write_all(fd, elf, 18) == 0 && write_all(fd, "\xb7\0", 2) == 0 && write_all(fd, elf + 20, 44) == 0);
#else
  EXPECT(write_all(fd, elf, sizeof elf) == 0);
#endif
  make("usr/bin/script", "#! /usr/bin/native -x\nrest\n", 0755);
  make("usr/bin/orphan", "#!/usr/bin/gone\n", 0755);
  make("usr/bin/bare", "#!\n", 0755);
  make("usr/bin/data", "hello\n", 0755);
  make("usr/bin/plain", "#!/usr/bin/native\n", 0644);
  make("a/bin/relative", "#!/usr/bin/native\n", 0755);
  make("a/here", "#!/usr/bin/native\n", 0755);
  EXPECT(symlinkat("/proc/self/exe", root, "usr/bin/evil") == 0);
  EXPECT(symlinkat("/usr/bin/native", root, "usr/bin/linked") == 0);
  finds("native", "/usr/bin/native");
  finds("linked", "/usr/bin/linked");
  finds("script", "/usr/bin/script");
  finds("/usr/bin/script", "/usr/bin/script");
  finds("relative", "/a/bin/relative");
  finds("here", "/a/here");
  finds("./here", "/a/./here");
  fails("missing", 127, "missing: not found");
  fails("/missing/x", 127, "not found");
  fails("orphan", 127, "its interpreter /usr/bin/gone");
  fails("bare", 126, "no interpreter");
  fails("data", 126, "neither a program nor a script");
  fails("plain", 126, "plain");
  fails("/usr/bin", 126, "/usr/bin");
  fails("evil", 127, "not found");
  char word[5000];
  memset(word, 'a', sizeof word - 1);
  word[sizeof word - 1] = 0;
  fails(word, 126, "aaa");

  struct err err = {0};
  char *interpreter;
  unsigned char foreign[64];
  memcpy(foreign, elf, sizeof foreign);
  foreign[18] = 0x16; /* s390 */
  EXPECT(command_look(foreign, sizeof foreign, &interpreter, &err) < 0 && strstr(err.what, "s390x"));
  EXPECT(command_look(foreign, 20, &interpreter, &err) < 0);
  EXPECT(command_look((const unsigned char *)"", 0, &interpreter, &err) < 0);
}

int main(void) {
  if (!mkdtemp(base)) return 1;
  char path[64];
  snprintf(path, sizeof path, "%s/root", base);
  if (mkdir(path, 0755) < 0) return 1;
  root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  test_targets();
  test_beneath();
  test_read();
  test_command();
  snprintf(path, sizeof path, "rm -rf %s", base);
  EXPECT(system(path) == 0);
  return expect_end("inroot");
}
