/* Removing trees: depth beyond any stack, links out of it, mount points of names, and what may not be named. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "expect.h"
#include "lib/rmtree.h"

static char base[] = "/tmp/test_rmtree.XXXXXX";

/* A chain of folders, each with a file; deeper than PATH_MAX and than the descriptors allowed. */
static void make_chain(int dir, int depth) {
  int here = dup(dir);
  for (int i = 0; i < depth && here >= 0; i++) {
    int fd = openat(here, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    if (mkdirat(here, "folder", 0700) < 0) abort();
    int next = openat(here, "folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(here);
    here = next;
  }
  EXPECT(here >= 0);
  if (here >= 0) close(here);
}

static bool exists(int dir, const char *name) {
  return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int main(void) {
  struct err err;
  if (!mkdtemp(base)) return 1;
  cleanup_fd int dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(rmtree_at(dir, "nothing", &err) == 0);
  static const char *const bad[] = {"", ".", "..", "a/b", "/etc"};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(rmtree_at(dir, bad[i], &err) == -EINVAL);

  EXPECT(mkdirat(dir, "keep", 0700) == 0 && mkdirat(dir, "keep/inner", 0700) == 0);
  EXPECT(symlinkat("keep", dir, "link") == 0);
  EXPECT(rmtree_at(dir, "link", &err) == 0 && !exists(dir, "link") && exists(dir, "keep/inner"));

  EXPECT(mkdirat(dir, "tree", 0700) == 0);
  cleanup_fd int tree = openat(dir, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(symlinkat("../keep", tree, "out") == 0 && mkfifoat(tree, "fifo", 0600) == 0);
  EXPECT(mkdirat(tree, "empty", 0) == 0);
  char name[32];
  for (int i = 0; i < 3000; i++) {
    snprintf(name, sizeof name, "f%d", i);
    int fd = openat(tree, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0);
    if (fd >= 0) close(fd);
  }
  make_chain(tree, 5000);
  struct rlimit few = {.rlim_cur = 64, .rlim_max = 64};
  EXPECT(setrlimit(RLIMIT_NOFILE, &few) == 0);
  int r = rmtree_at(dir, "tree", &err);
  EXPECT(r == 0);
  if (r < 0) err_print(&err, "test");
  EXPECT(!exists(dir, "tree") && exists(dir, "keep/inner"));
  EXPECT(rmtree_at(dir, "keep", &err) == 0);
  EXPECT(rmdir(base) == 0);
  return expect_end("rmtree");
}
