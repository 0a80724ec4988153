/* Folders watched for a name: by inotify, and where the user has no more of its instances. */
#include "lib/deadline.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "expect.h"

static char base[] = "/tmp/test_deadline.XXXXXX";

static void test_left(void) {
  EXPECT(deadline_left(-1) == -1 && deadline_left(0) == 0);
  int left = deadline_left(clock_ms() + 5000);
  EXPECT(left > 4000 && left <= 5000);
}

/* A name that appears is noticed soon, and what came before the watch is not waited for. */
static void test_watch(const char *name) {
  cleanup_fd int dir = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
  cleanup_fd int watch = watch_folder(dir);
  EXPECT(dir >= 0 && watch >= 0);
  const int64_t deadline = clock_ms() + 3000;
  pid_t child = fork();
  if (child == 0) {
    (void)usleep(50 * 1000);
    _exit(openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
  }
  while (faccessat(dir, name, F_OK, 0) < 0 && clock_ms() < deadline) EXPECT(watch_wait(watch, deadline) == 0);
  EXPECT(faccessat(dir, name, F_OK, 0) == 0 && clock_ms() < deadline);
  EXPECT(watch_wait(watch, clock_ms()) == -ETIMEDOUT); /* all events are eaten */
  (void)waitpid(child, NULL, 0);
  (void)unlinkat(dir, name, 0);
}

static bool put(const char *path, const char *text) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && write_all(fd, text, strlen(text)) == 0;
}

/* In a user namespace whose limit is 0; that of the user who runs the tests is left alone. */
static void test_used_up(void) {
  pid_t child = fork();
  if (child == 0) {
    char map[64];
    snprintf(map, sizeof map, "0 %u 1", (unsigned)geteuid());
    EXPECT(unshare(CLONE_NEWUSER) == 0 && put("/proc/self/uid_map", map));
    EXPECT(put("/proc/sys/user/max_inotify_instances", "0"));
    EXPECT(inotify_init1(IN_CLOEXEC) < 0 && errno == EMFILE);
    test_watch("b");
    _exit(expect_failed != 0);
  }
  int status;
  EXPECT(waitpid(child, &status, 0) == child && status == 0);
}

int main(void) {
  if (!mkdtemp(base)) return 1;
  test_left();
  test_watch("a");
  test_used_up();
  (void)rmdir(base);
  return expect_end("deadline");
}
