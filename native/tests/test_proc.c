/* Processes by pid and start time; run folders that no symlink leads out of; state files. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "expect.h"
#include "lib/proc.h"

static char base[] = "/tmp/test_proc.XXXXXX";

static void test_identity(void) {
  struct proc_id self = {.pid = getpid()};
  EXPECT(proc_start_time(getpid(), &self.start) == 0 && self.start > 0);
  cleanup_fd int fd = proc_open(&self);
  EXPECT(fd >= 0);
  /* A pid that was given to another process: same number, other start. */
  struct proc_id reused = {.pid = self.pid, .start = self.start - 1};
  EXPECT(proc_open(&reused) == -ESRCH);
  EXPECT(proc_open(&(struct proc_id){.pid = 0, .start = 1}) == -ESRCH);
  EXPECT(proc_open(&(struct proc_id){.pid = -5, .start = 1}) == -ESRCH);

  pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  (void)waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
  struct proc_id zombie = {.pid = child};
  EXPECT(proc_start_time(child, &zombie.start) == 0);
  EXPECT(proc_open(&zombie) == -ESRCH);
  (void)waitpid(child, NULL, 0);
  EXPECT(proc_open(&zombie) == -ESRCH);
}

static void test_folders(void) {
  struct err err;
  unsetenv("XDG_RUNTIME_DIR");
  EXPECT(run_open(&err) < 0 && err.step[0]);
  setenv("XDG_RUNTIME_DIR", "relative", 1);
  EXPECT(run_open(&err) < 0);
  setenv("XDG_RUNTIME_DIR", base, 1);
  cleanup_fd int run = run_open(&err);
  EXPECT(run >= 0);
  struct stat st;
  EXPECT(fstatat(run, ".", &st, 0) == 0 && (st.st_mode & 07777) == 0700);

  EXPECT(run_open_at(run, "pods/web/app", false, &err) == -ENOENT);
  cleanup_fd int dir = run_open_at(run, "pods/web/app", true, &err);
  EXPECT(dir >= 0);
  EXPECT(run_open_at(run, "", true, &err) < 0);
  EXPECT(run_open_at(run, "/etc", true, &err) < 0);
  EXPECT(run_open_at(run, "../x", true, &err) == -EXDEV);
  EXPECT(run_open_at(run, "pods/../../../etc", true, &err) < 0);
  EXPECT(symlinkat("/etc", run, "out") == 0);
  EXPECT(run_open_at(run, "out", false, &err) == -ELOOP);
  EXPECT(run_open_at(run, "out/x", true, &err) == -ELOOP);
}

static void put(int dir, const char *text) {
  (void)write_file_atomic_at(dir, "state.json", text, strlen(text), 0600);
}

static void test_state(void) {
  struct err err;
  cleanup_fd int run = run_open(&err);
  cleanup_fd int dir = run_open_at(run, "pods/web/app", true, &err);
  struct run_state in = {.id = {.pid = 42, .start = 18446744073709551615ull}, .digest = "sha256:0af", .started_at = 1795332692}, out;
  EXPECT(run_state_read(dir, &out, &err) == -ENOENT);
  EXPECT(run_state_write(dir, &in, &err) == 0);
  EXPECT(run_state_read(dir, &out, &err) == 0);
  EXPECT(out.id.pid == 42 && out.id.start == in.id.start && out.started_at == in.started_at && !strcmp(out.digest, in.digest));
  strcpy(in.digest, "a\"b");
  EXPECT(run_state_write(dir, &in, &err) == -EINVAL);
  static const char *const bad[] = {"",
                                    "{",
                                    "[]",
                                    "{\"pid\":1}",
                                    "{\"pid\":\"1\",\"startTime\":\"1\"}",
                                    "{\"pid\":1,\"startTime\":1}",
                                    "{\"pid\":1,\"startTime\":\"1x\"}",
                                    "{\"pid\":1,\"startTime\":\"\"}",
                                    "{\"pid\":0,\"startTime\":\"1\"}",
                                    "{\"pid\":99999999999,\"startTime\":\"1\"}"};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
    put(dir, bad[i]);
    EXPECT(run_state_read(dir, &out, &err) == -EBADMSG);
  }
}

int main(void) {
  if (!mkdtemp(base)) return 1;
  test_identity();
  test_folders();
  test_state();
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", base);
  EXPECT(system(command) == 0);
  return expect_end("proc");
}
