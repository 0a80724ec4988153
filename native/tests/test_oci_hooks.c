/* Hooks: run for real, as shell scripts. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "expect.h"
#include "lib/deadline.h"
#include "oci/hooks.h"

static char folder[] = "/tmp/podrt-hooks-XXXXXX";
static char out[256]; /* where scripts leave what they saw */

/* A script of that body; args: name, $1. */
static struct oci_hook script(const char *name, const char *body, const char **args, const char **env, int64_t timeout) {
  char *path = xformat("%s/%s", folder, name), *text = xformat("#!/bin/sh\nOUT=%s\n%s\n", out, body);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  EXPECT(fd >= 0 && write_all(fd, text, strlen(text)) == 0);
  close(fd);
  free(text);
  return (struct oci_hook){.path = path, .args = args, .env = env, .timeout = timeout};
}

static char *seen(void) {
  char *text = NULL;
  if (read_file_at(AT_FDCWD, out, 1 << 22, &text, NULL) < 0) text = strdup("");
  unlink(out);
  return text;
}

/* Runs it with our own stderr in a file; its text in *ret_said. */
static int run(struct oci_hook *hooks, size_t n, const char *state, bool all, struct err *err, char **ret_said) {
  const struct oci_hooks list = {.hook = hooks, .n = n};
  char *path = xformat("%s/stderr", folder);
  fflush(stderr);
  int saved = dup(2), fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  dup2(fd, 2);
  *err = (struct err){0};
  int r = oci_hooks_run(&list, state, all, -1, err);
  fflush(stderr);
  dup2(saved, 2);
  close(saved);
  close(fd);
  *ret_said = NULL;
  EXPECT(read_file_at(AT_FDCWD, path, 1 << 22, ret_said, NULL) == 0);
  unlink(path);
  free(path);
  for (size_t i = 0; i < n; i++) free((char *)hooks[i].path);
  return r;
}

static void test_given(void) {
  struct err err;
  char *said, *text;
  const char *args[] = {"called", "one two", NULL}, *env[] = {"A=b c", "PATH=/bin:/usr/bin", NULL};
  struct oci_hook h = script("state", "cat > $OUT", NULL, NULL, 0);
  EXPECT(run(&h, 1, "{\"id\":\"c1\"}", false, &err, &said) == 0 && !*said);
  EXPECT(!strcmp(text = seen(), "{\"id\":\"c1\"}"));
  free(text), free(said);

  h = script("args", "echo \"$1\" > $OUT", args, NULL, 0);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == 0);
  EXPECT(!strcmp(text = seen(), "one two\n"));
  free(text), free(said);

  /* The environment is what was given and nothing else; sh itself adds PWD and the like, so it is read from /proc. */
  setenv("OURS", "secret", 1);
  h = script("env", "tr '\\0' '\\n' < /proc/self/environ > $OUT", args, env, 0);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == 0);
  EXPECT(strstr(text = seen(), "A=b c\n") && !strstr(text, "OURS"));
  free(text), free(said);
  h = script("noenv", "/usr/bin/od -An -c /proc/$$/environ > $OUT", NULL, NULL, 0);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == 0);
  EXPECT(!strcmp(text = seen(), ""));
  free(text), free(said);

  /* Descriptors: 0, 1, 2, and the script itself. What we have open is not for it, whether it closes at exec or not. */
  int leak = open("/dev/null", O_RDONLY); /* NOLINT: without O_CLOEXEC, for the test */
  int high = fcntl(leak, F_DUPFD, 77);
  h = script("fds", "for f in /proc/$$/fd/*; do n=${f##*/}; [ $n -lt 10 ] && echo -n $n; [ $n = 77 ] && echo -n leak; done > $OUT; true",
             NULL, NULL, 0);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == 0);
  text = seen();
  EXPECT(!strncmp(text, "012", 3) && !strstr(text, "leak"));
  if (strncmp(text, "012", 3) != 0) fprintf(stderr, "  %s\n", text);
  free(text), free(said);
  close(leak);
  close(high);
}

static void test_order(void) {
  struct err err;
  char *said, *text;
  struct oci_hook three[] = {script("a", "echo a >> $OUT", NULL, NULL, 0), script("b", "echo b >> $OUT; exit 3", NULL, NULL, 0),
                             script("c", "echo c >> $OUT", NULL, NULL, 0)};
  EXPECT(run(three, 3, "{}", false, &err, &said) == -ECANCELED);
  EXPECT(!strcmp(text = seen(), "a\nb\n") && strstr(err.what, "/b: exit status 3"));
  free(text), free(said);
  struct oci_hook all[] = {script("a", "echo a >> $OUT; kill -9 $$", NULL, NULL, 0), script("c", "echo c >> $OUT", NULL, NULL, 0)};
  EXPECT(run(all, 2, "{}", true, &err, &said) == 0);
  EXPECT(!strcmp(text = seen(), "a\nc\n") && strstr(said, "/a: ended by signal 9"));
  free(text), free(said);
}

static void test_words(void) {
  struct err err;
  char *said;
  struct oci_hook h = script("words", "echo first line >&2; echo the reason is this >&2; exit 1", NULL, NULL, 0);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == -ECANCELED);
  EXPECT(!strcmp(said, "first line\nthe reason is this\n"));
  EXPECT(strstr(err.what, "exit status 1: first line the reason is this") && err.what[strlen(err.what) - 1] == 's');
  free(said);
  /* Much of it: all is passed on, the last of it is remembered. */
  h = script("much", "i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; exit 1", NULL, NULL, 0);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == -ECANCELED);
  EXPECT(strstr(said, "line 0\n") && strstr(said, "line 10000\n") && strstr(said, "line 19999\n") && strstr(err.what, "line 19999"));
  free(said);
}

static void test_reading(void) {
  /* Much of state, and a hook that reads nothing: neither waits for the other, nobody gets SIGPIPE. */
  struct err err;
  char *said, *text, *big = malloc(1 << 20);
  memset(big, ' ', 1 << 20);
  big[(1 << 20) - 1] = 0;
  struct oci_hook h = script("deaf", "exit 0", NULL, NULL, 0);
  EXPECT(run(&h, 1, big, false, &err, &said) == 0);
  free(said);
  h = script("wc", "wc -c > $OUT", NULL, NULL, 0);
  EXPECT(run(&h, 1, big, false, &err, &said) == 0);
  EXPECT(atoi(text = seen()) == (1 << 20) - 1);
  free(text), free(said), free(big);
}

static void test_timeout(void) {
  struct err err;
  char *said, *text;
  int64_t begin = clock_ms();
  struct oci_hook h = script("slow", "/bin/sleep 61 & echo $! > $OUT; wait", NULL, NULL, 1);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == -ECANCELED && strstr(err.what, "/slow: not done after 1 s"));
  EXPECT(clock_ms() - begin < 10000);
  pid_t child = atoi(text = seen());
  EXPECT(child > 0);
  /* What it started was killed with it; it may be a zombie still, of whoever reaps. */
  char path[64], *stat = NULL;
  snprintf(path, sizeof path, "/proc/%d/stat", child);
  unsigned naps = 0;
  for (int i = 0; i < NAPS_SECOND && access(path, F_OK) == 0; i++) {
    free(stat);
    stat = NULL;
    if (read_file_at(AT_FDCWD, path, 4096, &stat, NULL) == 0 && strstr(stat, ") Z ")) break;
    nap(&naps);
  }
  EXPECT(access(path, F_OK) < 0 || (stat && strstr(stat, ") Z ")));
  free(stat), free(text), free(said);

  /* One that ends leaves what it started alone, and is not waited for because that has its stderr. */
  begin = clock_ms();
  h = script("daemon", "/bin/sleep 61 & echo $! > $OUT", NULL, NULL, 30);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == 0 && clock_ms() - begin < 20000);
  child = atoi(text = seen());
  EXPECT(child > 0 && kill(child, 0) == 0 && kill(child, SIGKILL) == 0);
  free(text), free(said);
}

static void test_bad(void) {
  struct err err;
  char *said;
  struct oci_hook h = {.path = xformat("%s/nothing", folder)};
  EXPECT(run(&h, 1, "{}", false, &err, &said) == -ECANCELED && err.code == ENOENT && strstr(err.what, "/nothing"));
  free(said);
  h = script("garbage", "", NULL, NULL, 0);
  int fd = open(h.path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  EXPECT(write_all(fd, "garbage", 7) == 0);
  close(fd);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == -ECANCELED && strstr(err.what, "not a program this machine can execute"));
  free(said);
  /* A caller who ignores SIGCHLD gets the truth all the same; signals that we ignore or block are not the hook's. */
  signal(SIGCHLD, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, &old);
  h = script("fails", "grep -E '^Sig(Ign|Blk)' /proc/self/status > $OUT; exit 7", NULL, NULL, 0);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == -ECANCELED && strstr(err.what, "exit status 7"));
  char *text = seen();
  /* 32 and 33 are glibc's own and out of reach; its posix_spawn(3), by which make starts us, leaves them ignored. */
  const char *blocked = strstr(text, "SigBlk:\t"), *ignored = strstr(text, "SigIgn:\t");
  EXPECT(blocked && strtoull(blocked + 8, NULL, 16) == 0 && ignored && (strtoull(ignored + 8, NULL, 16) & ~(3ull << 31)) == 0);
  EXPECT(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_SETMASK, &old, NULL);
  free(text), free(said);
}

/* Whoever reads our stderr has gone: neither SIGPIPE nor waiting. */
static void test_no_reader(void) {
  struct oci_hook h = script("words", "i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i+1)); done", NULL, NULL, 20);
  pid_t pid = fork();
  if (pid == 0) {
    const struct oci_hooks list = {.hook = &h, .n = 1};
    struct err err;
    int p[2];
    if (pipe(p) < 0) _exit(1);
    close(p[0]);
    dup2(p[1], 2);
    _exit(oci_hooks_run(&list, "{}", false, -1, &err) == 0 ? 42 : 43);
  }
  int status;
  EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 42);
  free((char *)h.path);
}

/* A script for /proc/self/exe, which runs what executes it: that must not be podrt (CVE-2019-5736). */
static void test_self(void) {
  struct err err;
  char *said;
  struct oci_hook h = script("self", "", NULL, NULL, 10);
  int fd = open(h.path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  EXPECT(write_all(fd, "#!/proc/self/exe\n", 17) == 0);
  close(fd);
  EXPECT(run(&h, 1, "{}", false, &err, &said) == -ECANCELED);
  EXPECT(!strstr(said, "this is the test") && strstr(err.what, "exit status 127"));
  free(said);
}

int main(void) {
  if (getpgrp() == getpid() && !getenv("PATH")) { /* as a hook, in test_self */
    fputs("this is the test\n", stderr);
    return 1;
  }
  EXPECT(mkdtemp(folder) != NULL);
  snprintf(out, sizeof out, "%s/out", folder);
  test_given();
  test_order();
  test_words();
  test_reading();
  test_timeout();
  test_bad();
  test_no_reader();
  test_self();
  char *command = xformat("rm -rf %s", folder);
  EXPECT(system(command) == 0);
  free(command);
  return expect_end("oci_hooks");
}
