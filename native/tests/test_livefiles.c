/* Files that change under a container: one state at a time, by way of ..data, and what a killed one leaves. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "expect.h"
#include "lib/livefiles.h"
#include "lib/rmtree.h"

static char base[] = "/tmp/test_livefiles.XXXXXX";

static bool reads(int dir, const char *path, const char *wanted) {
  cleanup_free char *bytes = NULL;
  size_t len;
  return read_file_at(dir, path, 1024, &bytes, &len) == 0 && !strcmp(bytes, wanted);
}

static bool exists(int dir, const char *name) {
  return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void put(int fs, const struct bundle_files *files) {
  struct err err;
  struct livefiles l;
  EXPECT(livefiles_load(files, &l, &err) == 0);
  EXPECT(livefiles_put(fs, &l, &err) == 0);
  livefiles_free(&l);
}

int main(void) {
  struct err err;
  struct livefiles l;
  struct stat st;
  char first[128], second[128], link[128] = "";
  umask(022);
  if (!mkdtemp(base)) return 1;
  cleanup_fd int dir = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(mkdirat(dir, "fs", 0755) == 0);
  cleanup_fd int fs = openat(dir, "fs", O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT(write_file_atomic_at(dir, "1", "one", 3, 0600) == 0 && write_file_atomic_at(dir, "2", "two", 3, 0600) == 0);
  snprintf(first, sizeof first, "%s/1", base);
  snprintf(second, sizeof second, "%s/2", base);
  struct bundle_item items[] = {{"a", first, 0640}, {"deep/b", second, 0644}};
  struct bundle_files files = {.destination = "/d", .group = -1, .live = true, .items = items, .n_items = 2};

  put(fs, &files);
  EXPECT(reads(fs, "a", "one") && reads(fs, "deep/b", "two") && readlinkat(fs, "a", link, sizeof link - 1) == 8);
  EXPECT(!strcmp(link, "..data/a") && fstatat(fs, "a", &st, 0) == 0 && (st.st_mode & 07777) == 0640);
  memset(link, 0, sizeof link);
  EXPECT(readlinkat(fs, "..data", link, sizeof link - 1) > 2);

  /* What one that was killed has left: a half state, the next link, a name of nothing. */
  EXPECT(mkdirat(fs, "..1.000000001", 0755) == 0 && symlinkat("..1.000000001", fs, "..data_tmp") == 0 && symlinkat("x", fs, "old") == 0);
  items[0].source = second;
  files.n_items = 1;
  put(fs, &files);
  EXPECT(reads(fs, "a", "two") && !exists(fs, "deep") && !exists(fs, link) && !exists(fs, "..1.000000001"));
  EXPECT(!exists(fs, "..data_tmp") && !exists(fs, "old"));

  /* A source that is not there changes nothing. */
  items[0].source = "/nowhere";
  EXPECT(livefiles_load(&files, &l, &err) == -ENOENT && strstr(err.what, "/nowhere") && reads(fs, "a", "two"));

  /* Something else at the place of the mount is not written to. */
  cleanup_fd int mountinfo = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  EXPECT(livefiles_open(dir, mountinfo, "/fs", &err) < 0 && strstr(err.what, "no longer the mount"));
  EXPECT(rmtree_at(AT_FDCWD, "nothing", &err) == 0);
  EXPECT(rmtree_at(dir, "fs", &err) == 0 && unlinkat(dir, "1", 0) == 0 && unlinkat(dir, "2", 0) == 0 && rmdir(base) == 0);
  return expect_end("livefiles");
}
