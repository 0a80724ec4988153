/* What a hook is read from, and how a wait ends: by its time, by the stop's deadline, by the container's end. */
#include "lib/hook.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "expect.h"
#include "lib/bundle.h"
#include "lib/deadline.h"
#include "lib/signals.h"

static int read_text(const char *text, struct hook *ret, struct err *err) {
  json_t *note = json_loads(text, 0, NULL);
  EXPECT(note);
  *ret = (struct hook){0};
  int r = hook_read(note, "h", ret, err);
  if (ret->args) EXPECT(r < 0 || !strcmp(ret->args[0], "a"));
  free(ret->args);
  free((void *)ret->http.headers);
  json_decref(note);
  return r;
}

static void test_read(void) {
  struct hook h;
  struct err err;
  EXPECT(read_text("{\"exec\":[\"a\"]}", &h, &err) == 0 && h.kind == HOOK_EXEC);
  EXPECT(read_text("{\"sleep\":0}", &h, &err) == 0 && h.kind == HOOK_SLEEP && h.seconds == 0);
  EXPECT(read_text("{\"httpGet\":{\"port\":80}}", &h, &err) == 0 && h.kind == HOOK_HTTP && h.http.port == 80);
  EXPECT(read_text("{\"httpGet\":{\"port\":80,\"headers\":[[\"a\",\"b\"]]}}", &h, &err) == 0 && h.http.n_headers == 1);
  EXPECT(read_text("{\"httpGet\":{\"port\":80,\"headers\":[[\"a\",1]]}}", &h, &err) < 0);
  EXPECT(read_text("{\"httpGet\":{}}", &h, &err) < 0);
  EXPECT(read_text("{\"httpGet\":{\"port\":80},\"sleep\":1}", &h, &err) < 0);
  EXPECT(read_text("{}", &h, &err) < 0);
  EXPECT(read_text("{\"exec\":[]}", &h, &err) < 0);
  EXPECT(read_text("{\"exec\":[\"a\"],\"sleep\":1}", &h, &err) < 0);
  EXPECT(read_text("{\"sleep\":\"1\"}", &h, &err) < 0);
}

/* A process that lives until it is killed; its pidfd. */
static pid_t start_main(int *ret_fd) {
  pid_t pid = fork();
  if (pid == 0)
    for (;;) pause();
  *ret_fd = (int)syscall(SYS_pidfd_open, pid, 0);
  EXPECT(pid > 0 && *ret_fd >= 0);
  return pid;
}

static void test_sleep(void) {
  const struct bundle b = {.unit = "u", .identifier = "i"};
  const struct hook second = {.kind = HOOK_SLEEP, .seconds = 1}, hour = {.kind = HOOK_SLEEP, .seconds = 3600};
  struct err err;
  int main_fd;
  pid_t pid = start_main(&main_fd);
  int64_t from = clock_ms();
  EXPECT(hook_run(&second, &b, "postStart", main_fd, -1, &err) == 0 && clock_ms() - from >= 1000);
  EXPECT(hook_run(&hour, &b, "preStop", main_fd, clock_ms() + 50, &err) == -ETIMEDOUT);
  kill(pid, SIGKILL);
  EXPECT(hook_run(&hour, &b, "postStart", main_fd, -1, &err) == 0);
  waitpid(pid, NULL, 0);
  close(main_fd);
}

static void test_signals(void) {
  EXPECT(signals_number("SIGTERM") == SIGTERM && signals_number("term") == SIGTERM && signals_number("9") == SIGKILL);
  EXPECT(signals_number("SIGRTMIN+3") == SIGRTMIN + 3 && signals_number("RTMAX-1") == SIGRTMAX - 1 &&
         signals_number("SIGRTMIN") == SIGRTMIN);
  EXPECT(signals_number("SIGRTMIN+99") < 0 && signals_number("SIGNAL") < 0 && signals_number("") < 0 && signals_number("99") < 0);
}

int main(void) {
  test_read();
  test_sleep();
  test_signals();
  return expect_end("hook");
}
