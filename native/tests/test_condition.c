/* How far a pod is by what lies in its run folder; the names of its containers. */
#include <fcntl.h>
#include <sys/stat.h>

#include "expect.h"
#include "lib/condition.h"
#include "lib/mains.h"
#include "lib/started.h"

static char base[] = "/tmp/test_condition.XXXXXX";
static int run;

static enum pod_state look(enum condition condition) {
  int watch = -1;
  enum pod_state state = condition_look(run, "pods/db", condition, &watch);
  if (watch >= 0) close(watch);
  return state;
}

static int folder(const char *name) {
  struct err err;
  cleanup_free char *path = xformat("pods/db/%s", name);
  return run_open_at(run, path, true, &err);
}

/* A state.json of a process that lives, or of one that does not. */
static void put_state(int dir, bool alive) {
  struct err err;
  struct proc_id id = {.pid = getpid(), .start = 1};
  if (alive) (void)proc_start_time(id.pid, &id.start);
  const struct bundle b = {.digest = "d", .folder = (char *)"/b"};
  EXPECT(started_write(dir, &id, &b, &err) == 0);
}

static void test_mains(void) {
  struct err err;
  struct mains mains;
  char *folders[] = {(char *)"pods/db/a", (char *)"pods/db/b.c", NULL};
  EXPECT(mains_write(run, folders, NULL, &err) == 0);
  cleanup_fd int dir = run_open_at(run, "pods/db", false, &err);
  EXPECT(mains_read(dir, &mains) == 0 && mains.n == 2 && !strcmp(mains.names[0], "a") && !strcmp(mains.names[1], "b.c"));
  mains_free(&mains);
  EXPECT(write_file_atomic_at(dir, "mains", "a\n../x\n", 7, 0600) == 0 && mains_read(dir, &mains) == -EBADMSG);
  mains_remove(run, folders);
  EXPECT(mains_read(dir, &mains) == -ENOENT);
  /* Not of a pod: nothing to write. */
  char *others[] = {(char *)"elsewhere", NULL};
  EXPECT(mains_write(run, others, NULL, &err) == 0);
}

static void test_words(void) {
  enum condition c;
  EXPECT(condition_parse("completed", &c) && c == CONDITION_COMPLETED && !strcmp(condition_word(c), "completed"));
  EXPECT(!condition_parse("complete", &c) && !condition_parse("", &c));
}

static void test_look(void) {
  struct err err;
  char *folders[] = {(char *)"pods/db/a", (char *)"pods/db/b", NULL};
  EXPECT(look(CONDITION_STARTED) == POD_ABSENT);
  cleanup_fd int infra = folder("_infra"), a = folder("a"), b = folder("b");
  put_state(infra, false);
  EXPECT(look(CONDITION_STARTED) == POD_ABSENT);
  put_state(infra, true); /* its containers are not named yet */
  EXPECT(look(CONDITION_STARTED) == POD_BEHIND);
  EXPECT(mains_write(run, folders, NULL, &err) == 0);
  EXPECT(look(CONDITION_STARTED) == POD_BEHIND);
  put_state(a, true);
  EXPECT(look(CONDITION_STARTED) == POD_BEHIND);
  put_state(b, true);
  EXPECT(look(CONDITION_STARTED) == POD_THERE && look(CONDITION_READY) == POD_BEHIND);
  EXPECT(started_mark(a, &err) == 0 && look(CONDITION_READY) == POD_BEHIND);
  EXPECT(started_mark(b, &err) == 0 && look(CONDITION_READY) == POD_THERE && look(CONDITION_COMPLETED) == POD_BEHIND);
  /* a has ended, of b only an earlier run has: its state is newer. */
  put_state(a, false);
  EXPECT(started_ended(b, &(struct end){"success", "exited", "0"}, NULL, &err) == 0 &&
         started_ended(a, &(struct end){"success", "exited", "0"}, NULL, &err) == 0);
  const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
  EXPECT(utimensat(b, "ended.json", old, 0) == 0);
  put_state(b, false);
  EXPECT(look(CONDITION_COMPLETED) == POD_BEHIND);
  EXPECT(started_ended(b, &(struct end){"exit-code", "exited", "1"}, NULL, &err) == 0 && look(CONDITION_COMPLETED) == POD_BEHIND);
  EXPECT(started_ended(b, &(struct end){"success", "killed", "TERM"}, NULL, &err) == 0 && look(CONDITION_COMPLETED) == POD_BEHIND);
  EXPECT(started_ended(b, &(struct end){"success", "exited", "0"}, NULL, &err) == 0 && look(CONDITION_COMPLETED) == POD_THERE);
  /* What has ended with success was ready, also when nothing says so any more. */
  EXPECT(unlinkat(b, "ready", 0) == 0 && look(CONDITION_READY) == POD_THERE && look(CONDITION_STARTED) == POD_THERE);
}

int main(void) {
  struct err err;
  if (!mkdtemp(base)) return 1;
  setenv("XDG_RUNTIME_DIR", base, 1);
  run = run_open(&err);
  if (run < 0) return 1;
  test_words();
  test_mains();
  test_look();
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", base);
  EXPECT(system(command) == 0);
  return expect_end("condition");
}
