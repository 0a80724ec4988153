/* Recipes: what was written down gives the same bytes, whatever was claimed; damage of recipe or files never gives other bytes unseen. */
#include "lib/recipe.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "expect.h"
#include "lib/repack.h"
#include "lib/treesum.h"

static char base[] = "/tmp/test_recipe.XXXXXX";
static const char first[] = "HEADcontent of the file aPADHEADsecond, of file b";
static const char second[] = " that goes on hereTAIL";

static void put(int dir, const char *name, const char *text) {
  cleanup_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  EXPECT(fd >= 0 && write_all(fd, text, strlen(text)) == 0);
}

/* The recipe of the two blocks, in `ret`; gives its length. */
static ssize_t record(char *ret, size_t size) {
  struct recipe *recipe = NULL;
  struct err err;
  cleanup_fd int fd = memfd_create("recipe", MFD_CLOEXEC);
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (recipe_new(own, &recipe, &err) < 0) return -1;
  recipe_block(recipe, first, strlen(first));
  recipe_data(recipe, "a", first + 4, 21, 0);
  recipe_data(recipe, "d/b", first + 32, 17, 0);
  /* Bytes that are not of the block, or before what is done, are no claim. */
  recipe_data(recipe, "d/b", "elsewhere", 9, 17);
  recipe_data(recipe, "a", first + 4, 3, 0);
  recipe_block(recipe, NULL, 0);
  recipe_block(recipe, second, strlen(second));
  recipe_data(recipe, "d/b", second, 18, 17);
  recipe_block(recipe, NULL, 0);
  EXPECT(recipe_finish(recipe, &err) == 0);
  recipe_free(recipe);
  return pread(fd, ret, size, 0);
}

/* Makes the bytes again; their number, or a negative errno. */
static ssize_t remake(int root, const char *recipe, size_t len, char *out, size_t size, char digest[72]) {
  struct err err = {0};
  uint64_t told = 0;
  cleanup_fd int in = memfd_create("in", MFD_CLOEXEC), to = memfd_create("out", MFD_CLOEXEC);
  if (write_all(in, recipe, len) < 0 || lseek(in, 0, SEEK_SET) < 0) return -EIO;
  int r = repack_layer(root, in, to, digest, &told, &err);
  if (r < 0) {
    EXPECT(err.step[0]);
    return r;
  }
  ssize_t n = pread(to, out, size, 0);
  EXPECT(n == (ssize_t)told);
  return n;
}

static void test_same_bytes(int root, const char *recipe, size_t len) {
  char out[200], digest[72], again[72];
  size_t all = strlen(first) + strlen(second);
  EXPECT(remake(root, recipe, len, out, sizeof out, digest) == (ssize_t)all);
  EXPECT(!memcmp(out, first, strlen(first)) && !memcmp(out + strlen(first), second, strlen(second)));
  /* Content may change only with the digest; what is gone, short or no file is told. */
  put(root, "a", "Content of the file a");
  EXPECT(remake(root, recipe, len, out, sizeof out, again) == (ssize_t)all && strcmp(digest, again) != 0);
  put(root, "a", "content of");
  EXPECT(remake(root, recipe, len, out, sizeof out, again) == -EBADMSG);
  EXPECT(unlinkat(root, "a", 0) == 0 && remake(root, recipe, len, out, sizeof out, again) == -EBADMSG);
  EXPECT(mkfifoat(root, "a", 0600) == 0 && remake(root, recipe, len, out, sizeof out, again) == -EBADMSG);
  EXPECT(unlinkat(root, "a", 0) == 0 && symlinkat("d/b", root, "a") == 0);
  EXPECT(remake(root, recipe, len, out, sizeof out, again) == -EBADMSG);
  EXPECT(unlinkat(root, "a", 0) == 0);
  put(root, "a", "content of the file a");
}

static void test_damage(int root, char *recipe, size_t len) {
  char out[200], digest[72], again[72];
  (void)remake(root, recipe, len, out, sizeof out, digest);
  for (size_t i = 0; i < len; i++) {
    recipe[i] ^= 0x11;
    ssize_t n = remake(root, recipe, len, out, sizeof out, again);
    /* gzip's time and system mean nothing. */
    EXPECT(n < 0 || !strcmp(digest, again));
    recipe[i] ^= 0x11;
    if (i > 0) EXPECT(remake(root, recipe, i, out, sizeof out, again) < 0);
  }
  EXPECT(remake(root, "no recipe at all, but longer", 28, out, sizeof out, again) == -EBADMSG);
}

static void test_sum(int root) {
  char before[72], after[72];
  uint64_t n = 0;
  struct err err;
  struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000, .tv_nsec = 1}};
  EXPECT(treesum(root, before, &n, NULL, &err) == 0 && n == 4);
  EXPECT(treesum(root, after, &n, NULL, &err) == 0 && !strcmp(before, after));
  EXPECT(fchmodat(root, "a", 0640, 0) == 0 && treesum(root, after, &n, NULL, &err) == 0 && strcmp(before, after) != 0);
  EXPECT(fchmodat(root, "a", 0600, 0) == 0 && treesum(root, after, &n, NULL, &err) == 0 && !strcmp(before, after));
  EXPECT(utimensat(root, "a", old, 0) == 0 && treesum(root, after, &n, NULL, &err) == 0 && strcmp(before, after) != 0);
  bool aufs = true;
  EXPECT(treesum(root, before, &n, &aufs, &err) == 0 && !aufs);
  EXPECT(symlinkat("x", root, ".wh.gone") == 0 && treesum(root, after, &n, &aufs, &err) == 0 && aufs);
  EXPECT(unlinkat(root, ".wh.gone", 0) == 0);
  (void)treesum(root, before, &n, NULL, &err);
  EXPECT(renameat(root, "a", root, "c") == 0 && treesum(root, after, &n, NULL, &err) == 0 && strcmp(before, after) != 0);
}

int main(void) {
  char recipe[1000];
  if (!mkdtemp(base)) return 1;
  cleanup_fd int root = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(mkdirat(root, "d", 0700) == 0);
  put(root, "a", "content of the file a");
  put(root, "d/b", "second, of file b that goes on here");
  ssize_t len = record(recipe, sizeof recipe);
  EXPECT(len > 0);
  if (len > 0) {
    test_same_bytes(root, recipe, (size_t)len);
    test_damage(root, recipe, (size_t)len);
  }
  test_sum(root);
  EXPECT(unlinkat(root, "c", 0) == 0 && unlinkat(root, "d/b", 0) == 0 && unlinkat(root, "d", AT_REMOVEDIR) == 0 && rmdir(base) == 0);
  return expect_end("recipe");
}
