/* Standard input that somebody may attach to: when it has an end and when not, and what infra holds for it. */
#include "lib/stdinpipe.h"

#include <fcntl.h>
#include <poll.h>

#include "expect.h"
#include "lib/held.h"

static char folder[] = "/tmp/test_stdinpipe.XXXXXX";
static int dir;

#define KEY "USER_UNIT=pod-a_b.service\n"

/* 0: nothing to be read yet; 1: bytes; -1: the end. */
static int look(int in) {
  struct pollfd p = {.fd = in, .events = POLLIN};
  char bytes[16];
  if (poll(&p, 1, 0) == 0) return 0;
  return read(in, bytes, sizeof bytes) > 0 ? 1 : -1;
}

static void test_open(void) {
  struct err err;
  int hold;
  cleanup_fd int in = stdinpipe_make(dir, STDIN_OPEN, &hold, &err);
  EXPECT(in >= 0 && hold == -1 && look(in) == 0);
  for (int i = 0; i < 2; i++) {
    cleanup_fd int out = stdinpipe_open(dir, &err);
    EXPECT(out >= 0 && write(out, "a\n", 2) == 2);
    EXPECT(look(in) == 1);
    close(steal_fd(&out));
    EXPECT(look(in) == 0);
  }
}

static void test_once(void) {
  struct err err;
  struct held *held = NULL;
  int hold;
  cleanup_fd int in = stdinpipe_make(dir, STDIN_ONCE, &hold, &err);
  EXPECT(in >= 0 && hold >= 0 && look(in) == 0);
  EXPECT((fcntl(in, F_GETFL) & O_NONBLOCK) == 0);
  EXPECT(held_add(&held, KEY, sizeof KEY - 1, hold) == 0 && look(in) == 0);
  EXPECT(held_drop(&held, "USER_UNIT=x\n", 12) == -ENOENT);
  cleanup_fd int out = stdinpipe_open(dir, &err);
  EXPECT(out >= 0 && held_drop(&held, KEY, sizeof KEY - 1) == 0 && stdinpipe_take(dir, &err) == 0);
  EXPECT(held_drop(&held, KEY, sizeof KEY - 1) == -ENOENT && stdinpipe_take(dir, &err) == -ENOENT);
  EXPECT(stdinpipe_open(dir, &err) == -ENOENT);
  EXPECT(look(in) == 0 && write(out, "a\n", 2) == 2 && look(in) == 1);
  close(steal_fd(&out));
  EXPECT(look(in) == -1);
  held_free(held);
}

static void test_gone(void) {
  struct err err;
  int hold;
  close(stdinpipe_make(dir, STDIN_OPEN, &hold, &err));
  EXPECT(stdinpipe_open(dir, &err) == -ENXIO);
  (void)unlinkat(dir, STDIN_FIFO, 0);
  cleanup_fd int plain = openat(dir, STDIN_FIFO, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  EXPECT(plain >= 0 && stdinpipe_open(dir, &err) == -EBADF);
}

/* An infra that follows another knows by their paths whose they are; what was taken is nobody's. */
static void test_take_back(void) {
  char path[200];
  struct err err;
  int hold, taken;
  snprintf(path, sizeof path, "mkdir -p %s/pods/a/b", folder);
  EXPECT(system(path) == 0);
  snprintf(path, sizeof path, "%s/pods/a/b", folder);
  cleanup_fd int inner = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cleanup_fd int first = stdinpipe_make(inner, STDIN_ONCE, &taken, &err);
  EXPECT(stdinpipe_take(inner, &err) == 0);
  cleanup_fd int in = stdinpipe_make(inner, STDIN_ONCE, &hold, &err);
  EXPECT(first >= 0 && in >= 0);
  struct kept_item items[] = {{"stdin-1", taken}, {"stdin-2", hold}, {"log-1-out", -1}};
  struct kept kept = {.n = N_ELEMENTS(items), .item = items};
  struct held *held = NULL;
  held_take_back(&held, &kept);
  EXPECT(look(first) == -1 && look(in) == 0);
  EXPECT(held && !held->next && held_drop(&held, KEY, sizeof KEY - 1) == 0 && look(in) == -1);
  held_free(held);
}

int main(void) {
  char command[100];
  EXPECT(mkdtemp(folder));
  dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(dir >= 0);
  test_open();
  test_once();
  test_gone();
  test_take_back();
  close(dir);
  snprintf(command, sizeof command, "rm -r %s", folder);
  EXPECT(system(command) == 0);
  return expect_end("stdinpipe");
}
