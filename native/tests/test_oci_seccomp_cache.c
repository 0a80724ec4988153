/* The cache of compiled filters: found again, and not believed when it is damaged or somebody else's. */
#include <fcntl.h>
#include <seccomp.h>
#include <sys/stat.h>

#include "expect.h"
#include "profile.h"

static struct stat cached(int cache, char name[16]) {
  struct stat st = {0};
  for (int i = 0; i < 256; i++) {
    snprintf(name, 16, "seccomp-%02x", i);
    if (fstatat(cache, name, &st, AT_SYMLINK_NOFOLLOW) == 0) return st;
  }
  EXPECT(!"nothing in the cache");
  return st;
}

/* Makes the filter by way of the cache: is it right, and was the cache's file left alone? */
static bool hit(const struct oci_seccomp *s, int cache, const struct oci_filter *right) {
  struct oci_filter f;
  struct err err;
  char name[16];
  struct stat before = cached(cache, name);
  EXPECT(oci_filter_make(s, cache, &f, &err) == 0 && f.n == right->n && !memcmp(f.code, right->code, f.n * sizeof *f.code));
  oci_filter_free(&f);
  return cached(cache, name).st_ino == before.st_ino;
}

static void test_cache(void) {
  char folder[] = "/tmp/podrt-cache-XXXXXX", name[16];
  struct oci_seccomp s = {0};
  struct oci_filter right;
  struct err err;
  json_t *tree;
  EXPECT(mkdtemp(folder) != NULL);
  cleanup_fd int cache = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT(parse(RULE("\"names\":[\"keyctl\"],\"action\":\"SCMP_ACT_KILL\""), &tree, &s, &err) == 0);
  EXPECT(oci_filter_make(&s, cache, &right, &err) == 0);
  const struct stat st = cached(cache, name);
  EXPECT((st.st_mode & 07777) == 0600 && hit(&s, cache, &right));

  /* One byte of the program; cut short; longer. Each time it is made anew, and then is right again. */
  for (int how = 0; how < 3; how++) {
    int fd = openat(cache, name, O_RDWR | O_CLOEXEC);
    EXPECT(how != 0 || pwrite(fd, "\xff", 1, st.st_size - 8) == 1);
    EXPECT(how != 1 || ftruncate(fd, st.st_size - 8) == 0);
    EXPECT(how != 2 || ftruncate(fd, st.st_size + 8) == 0);
    close(fd);
    EXPECT(!hit(&s, cache, &right) && hit(&s, cache, &right));
  }
  /* What others may have written. */
  EXPECT(fchmodat(cache, name, 0620, 0) == 0 && !hit(&s, cache, &right));
  EXPECT(fchmodat(cache, name, 0602, 0) == 0 && !hit(&s, cache, &right));
  if (geteuid() == 0) EXPECT(fchownat(cache, name, 1, 1, 0) == 0 && !hit(&s, cache, &right));
  EXPECT(renameat(cache, name, cache, "elsewhere") == 0 && symlinkat("elsewhere", cache, name) == 0);
  EXPECT(!hit(&s, cache, &right) && S_ISREG(cached(cache, name).st_mode));
  EXPECT(unlinkat(cache, name, 0) == 0 && mkfifoat(cache, name, 0600) == 0);
  EXPECT(!hit(&s, cache, &right) && hit(&s, cache, &right));
  /* A folder that others may write in is no cache. */
  const struct stat last = cached(cache, name);
  EXPECT(chmod(folder, 0777) == 0 && unlinkat(cache, name, 0) == 0);
  struct oci_filter f;
  EXPECT(last.st_size > 0 && oci_filter_make(&s, cache, &f, &err) == 0 && faccessat(cache, name, F_OK, 0) < 0);
  oci_filter_free(&f);
  EXPECT(chmod(folder, 0700) == 0);
  /* Another program under the same name: by its key it is not ours. */
  s.rules[0].action = SCMP_ACT_ERRNO(5);
  EXPECT(oci_filter_make(&s, cache, &f, &err) == 0);
  char other[16];
  (void)cached(cache, other);
  EXPECT(renameat(cache, other, cache, name) == 0);
  s.rules[0].action = SCMP_ACT_KILL;
  EXPECT(!hit(&s, cache, &right));
  oci_filter_free(&f);

  unlinkat(cache, name, 0);
  unlinkat(cache, "elsewhere", 0);
  EXPECT(rmdir(folder) == 0);
  oci_filter_free(&right);
  oci_seccomp_free(&s);
  json_decref(tree);
}

int main(void) {
  test_cache();
  return expect_end("oci_seccomp_cache");
}
