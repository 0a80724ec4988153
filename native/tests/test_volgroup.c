/* fsGroup: modes, the walk, what it leaves alone, once at each start of the pod. As any user: the group is one that we are in. */
#include "lib/volgroup.h"

#include <fcntl.h>

#include "expect.h"
#include "lib/rmtree.h"

static char base[] = "/tmp/test_volgroup.XXXXXX";

static void make(const char *name, mode_t mode, bool folder) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", base, name);
  if (folder ? mkdir(path, 0755) < 0 : close(open(path, O_CREAT | O_EXCL | O_WRONLY, 0644)) < 0) abort();
  if (chmod(path, mode) < 0) abort();
}

static mode_t mode_of(const char *name) {
  struct stat st;
  char path[128];
  snprintf(path, sizeof path, "%s/%s", base, name);
  if (lstat(path, &st) < 0) abort();
  return st.st_mode & 07777;
}

static void apply(const struct volgroup *g, bool all, int wanted) {
  struct err err = {0};
  char path[64];
  snprintf(path, sizeof path, "%s/v", base);
  cleanup_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int r = volgroup_apply(fd, g, all, &err);
  if (r != wanted) err_print(&err, "test");
  EXPECT(r == wanted);
}

static void test_walk(void) {
  const struct volgroup g = {.gid = getgid()};
  make("outside", 0600, false);
  make("v", 0700, true);
  make("v/sub", 0711, true);
  make("v/sub/file", 0400, false);
  make("v/run", 04755, false);
  char link[128], fifo[128];
  snprintf(link, sizeof link, "%s/v/sub/link", base);
  snprintf(fifo, sizeof fifo, "%s/v/fifo", base);
  if (symlink("../../outside", link) < 0 || mkfifo(fifo, 0600) < 0) abort();
  apply(&g, false, 0);
  EXPECT(mode_of("v") == 02770 && mode_of("v/sub") == 02771 && mode_of("v/sub/file") == 0660 && mode_of("v/fifo") == 0660);
  EXPECT(mode_of("v/run") == 04775);
  EXPECT(mode_of("outside") == 0600);
  /* The root is right: what is below counts only when all is asked for. */
  make("v/new", 0600, false);
  apply(&g, false, 0);
  EXPECT(mode_of("v/new") == 0600);
  apply(&g, true, 0);
  EXPECT(mode_of("v/new") == 0660);
}

static void test_reads(void) {
  const struct volgroup g = {.gid = getgid(), .read_only = true};
  EXPECT(volgroup_mode(&g, S_IFREG | 0400) == 0440 && volgroup_mode(&g, S_IFREG | 0644) == 0644);
  EXPECT(volgroup_mode(&g, S_IFDIR | 0700) == 02750);
}

static void test_deep(void) {
  const struct volgroup g = {.gid = getgid()};
  char path[128];
  snprintf(path, sizeof path, "%s/v", base);
  int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; at >= 0 && i < 300; i++) {
    if (mkdirat(at, "d", 0755) < 0) abort();
    int next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
    close(at);
    at = next;
  }
  EXPECT(at >= 0);
  close(at);
  apply(&g, true, -ELOOP);
}

static void test_marks(void) {
  struct err err = {0};
  const struct podids ids = {0};
  const struct mountopt opt = {.group = getgid(), .group_always = true}, none = {.group = -1};
  make("infra", 0700, true);
  make("w", 0777, true);
  make("w/file", 0600, false);
  char path[64];
  snprintf(path, sizeof path, "%s/infra", base);
  cleanup_fd int infra = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  snprintf(path, sizeof path, "%s/w", base);
  cleanup_fd int volume = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT(volgroup_mount(volume, path, &none, &ids, infra, &err) == 0 && mode_of("w/file") == 0600);
  EXPECT(volgroup_mount(volume, path, &opt, &ids, infra, &err) == 0 && mode_of("w/file") == 0660);
  make("w/more", 0600, false);
  EXPECT(volgroup_mount(volume, path, &opt, &ids, infra, &err) == 0 && mode_of("w/more") == 0600);
  EXPECT(volgroup_forget(infra, &err) == 0);
  EXPECT(volgroup_mount(volume, path, &opt, &ids, infra, &err) == 0 && mode_of("w/more") == 0660);
}

int main(void) {
  struct err err;
  if (!mkdtemp(base)) abort();
  test_walk();
  test_reads();
  test_deep();
  test_marks();
  cleanup_fd int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
  EXPECT(rmtree_at(tmp, base + 5, &err) == 0);
  return expect_end("volgroup");
}
