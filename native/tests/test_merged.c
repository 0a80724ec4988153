/* Layers seen as one: what covers what, and where paths lead. */
#include "lib/merged.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include "expect.h"

/* Bottom and top; a whiteout and a mark as podrt layer makes them. */
static const char script[] =
    "mkdir -p low/a/b low/gone low/hidden low/run top/a top/hidden &&"
    "echo low > low/a/f && echo low > low/a/b/f && echo x > low/gone/x && echo x > low/hidden/x && echo f > low/file && echo y > "
    "top/hidden/y &&"
    "echo top > top/a/f && ln -s ../run low/link && ln -s /a/b low/abs && ln -s link/there low/two && ln -s self low/self &&"
    "ln -s ../../.. low/out && mknod top/gone c 0 0";

static void resolves(const struct merged *m, const char *path, const char *want) {
  char found[PATH_MAX];
  int r = merged_resolve(m, path, found);
  if (r < 0 || strcmp(found, want)) fprintf(stderr, "%s: %d, %s, not %s\n", path, r, found, want);
  EXPECT(r == 0 && !strcmp(found, want));
}

static void test_resolve(const struct merged *m) {
  char found[PATH_MAX];
  resolves(m, "/a/f", "a/f");
  resolves(m, "//a/./b/../f/", "a/f");
  resolves(m, "/../../a", "a");
  resolves(m, "/", "");
  resolves(m, "/link/secrets", "run/secrets");
  resolves(m, "/abs/x/y", "a/b/x/y");
  resolves(m, "/two/x", "run/there/x");
  resolves(m, "/out/a/b", "a/b");
  resolves(m, "/absent/deep/x", "absent/deep/x");
  resolves(m, "/file/below", "file/below");
  EXPECT(merged_resolve(m, "/self/x", found) == -ELOOP);
}

static void test_view(const struct merged *m) {
  struct stat st;
  struct merged a, b;
  int dir;
  EXPECT(merged_stat(m, "gone", &st, NULL) == 0 && merged_stat(m, "absent", &st, NULL) == 0);
  EXPECT(merged_stat(m, "link", &st, &dir) == 1 && S_ISLNK(st.st_mode) && dir == m->fds[1]);
  EXPECT(merged_enter(m, "a", &a) == 0 && a.n == 2);
  EXPECT(merged_stat(&a, "f", &st, &dir) == 1 && dir == a.fds[0]);
  EXPECT(merged_enter(&a, "b", &b) == 0 && b.n == 1 && merged_stat(&b, "f", &st, NULL) == 1);
  merged_close(&b);
  merged_close(&a);
  EXPECT(merged_enter(m, "gone", &a) == -ENOTDIR && merged_enter(m, "file", &a) == -ENOTDIR && merged_enter(m, "absent", &a) == -ENOENT);
  EXPECT(merged_enter(m, "hidden", &a) == 0 && a.n == 1 && merged_stat(&a, "x", &st, NULL) == 0 && merged_stat(&a, "y", &st, NULL) == 1);
  merged_close(&a);
}

int main(void) {
  char base[] = "/tmp/test_merged.XXXXXX";
  struct err err = {0};
  struct merged m;
  EXPECT(mkdtemp(base) && chdir(base) == 0);
  EXPECT(system(script) == 0 && setxattr("top/hidden", "user.overlay.opaque", "y", 1, 0) == 0);
  const char *layers[] = {"low"};
  cleanup_fd int top = open("top", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(merged_open(layers, 1, top, &m, &err) == 0 && m.n == 2);
  test_resolve(&m);
  test_view(&m);
  merged_close(&m);
  const char *absent[] = {"low", "absent"};
  EXPECT(merged_open(absent, 2, -1, &m, &err) == -ENOENT && m.n == 0);
  EXPECT(chdir("/") == 0);
  cleanup_free char *command = xformat("rm -r %s", base);
  EXPECT(system(command) == 0);
  return expect_end("merged");
}
