/* Lifecycle hooks: see hook.h. */
#include "hook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bundle.h"
#include "complain.h"
#include "deadline.h"
#include "httpwish.h"
#include "jsonget.h"
#include "lines.h"
#include "podnet.h"
#include "probetry.h"

enum { SLEEP_MAX = 1 << 30, LAST_MAX = 200, ENDS_MS = 2000 };

int hook_read(const json_t *note, const char *at, struct hook *ret, struct err *err) {
  int64_t seconds = -1;
  size_t n = 0;
  json_t *http = NULL;
  int r = json_get_strings(note, at, "exec", BUNDLE_SIZE_MAX, &ret->args, &n, err);
  if (r == 0) r = json_get_int(note, at, "sleep", 0, SLEEP_MAX, &seconds, err);
  if (r == 0) r = json_get(note, at, "httpGet", JSON_OBJECT, false, &http, err);
  if (r < 0) return r;
  if ((n > 0) + (seconds >= 0) + (http != NULL) != 1)
    return err_set(err, 0, "bundle", "%s: expected one of exec, httpGet and sleep", at), -EINVAL;
  ret->kind = n ? HOOK_EXEC : http ? HOOK_HTTP : HOOK_SLEEP;
  ret->seconds = seconds < 0 ? 0 : (unsigned)seconds;
  char inner[JSON_AT_MAX];
  json_at(inner, at, "httpGet");
  return http ? http_wish_read(http, "bundle", inner, &ret->http, err) : 0;
}

/* --- a wait --- */

static bool has_ended(int main, int ms) {
  struct pollfd p = {.fd = main, .events = POLLIN};
  return poll(&p, 1, ms) == 1;
}

static int run_sleep(const struct hook *hook, int main, int64_t deadline, struct err *err) {
  const int64_t end = clock_ms() + (int64_t)hook->seconds * 1000;
  const bool cut = deadline >= 0 && deadline < end;
  struct pollfd p = {.fd = main, .events = POLLIN};
  while (clock_ms() < (cut ? deadline : end))
    if (poll(&p, 1, deadline_left(cut ? deadline : end)) > 0) return 0;
  return cut ? err_set(err, ETIMEDOUT, "sleep", "%u s", hook->seconds) : 0;
}

/* --- a process of its own --- */

struct command {
  const struct hook *hook;
  const struct bundle *b;
  const char *name;
  struct line_cutter cutter;
  char last[LAST_MAX]; /* the beginning of its last line */
};

static int on_line(void *context, const char *line, size_t len, bool partial) {
  struct command *c = context;
  (void)partial;
  /* What a question failed at is told once, by who asks for the hook. */
  cleanup_free char *text = c->hook->kind == HOOK_EXEC ? xformat("%s: %.*s", c->name, (int)len, line) : NULL;
  if (len) snprintf(c->last, sizeof c->last, "%.*s", (int)len, line);
  if (text) complain_as(6, text, c->b->unit, c->b->identifier);
  return 0;
}

/* By way of `podrt exec`, in a process of its own: that one leaves the host for good. */
static void become_exec(const struct hook *hook, const char *run_dir, int out) {
  size_t n = 0;
  while (hook->args[n]) n++;
  const char **argv = calloc(n + 5, sizeof *argv);
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (!argv || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(125);
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  argv[0] = "podrt";
  argv[1] = "exec";
  argv[2] = run_dir;
  argv[3] = "--";
  for (size_t i = 0; i < n; i++) argv[4 + i] = hook->args[i];
  execv("/proc/self/exe", (char **)argv);
  _exit(125);
}

/* What went wrong is a line for `out`. */
static void become_asker(const struct hook *hook, const struct bundle *b, int64_t deadline, int out) {
  struct http_answer answer;
  struct err err = {0};
  char message[LAST_MAX];
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  int r = podnet_enter(b->join, &err);
  if (r == 0) r = http_get(&hook->http, deadline, &answer, &err);
  if (r == 0) _exit(0);
  probe_message(&err, message, sizeof message);
  (void)write_all(out, message, strlen(message));
  _exit(1);
}

/* What is there to be read; false at its end. */
static bool read_some(struct command *c, int out) {
  char bytes[4096];
  for (;;) {
    ssize_t n = read(out, bytes, sizeof bytes);
    if (n > 0) (void)line_cut(&c->cutter, bytes, (size_t)n, on_line, c);
    if (n == 0) return false;
    if (n < 0 && errno != EINTR) return errno == EAGAIN;
  }
}

/* Until the command ends, which need not be the end of what it writes: it may have left somebody behind. */
static int serve(struct command *c, int out, int child, int main, int64_t deadline) {
  struct pollfd p[] = {{.fd = child, .events = POLLIN}, {.fd = out, .events = POLLIN}, {.fd = main, .events = POLLIN}};
  for (;;) {
    int r = poll(p, N_ELEMENTS(p), deadline_left(deadline));
    if (r == 0) return -ETIMEDOUT;
    if (r < 0 && errno != EINTR) return -errno;
    if (r > 0 && p[1].revents && !read_some(c, out)) p[1].fd = -1;
    if (r > 0 && (p[0].revents || p[2].revents)) return 0;
  }
}

static int outcome(const struct command *c, int status, struct err *err) {
  const char *between = c->last[0] ? ": " : "";
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  const bool killed = WIFSIGNALED(status) || WEXITSTATUS(status) == 128 + SIGKILL;
  if (c->hook->kind == HOOK_HTTP && c->last[0])
    return err_set(err, 0, c->name, "GET %s, port %u: %s", c->hook->http.path, c->hook->http.port, c->last), -EIO;
  if (WIFEXITED(status))
    return err_set(err, 0, c->name, "exited with status %d%s%s", WEXITSTATUS(status), between, c->last), killed ? -EINTR : -EIO;
  return err_set(err, 0, c->name, "killed by signal %d%s%s", WTERMSIG(status), between, c->last), -EINTR;
}

static int run_process(const struct hook *hook, const struct bundle *b, const char *name, int main, int64_t deadline, struct err *err) {
  struct command c = {.hook = hook, .b = b, .name = name};
  int ends[2], status = 0;
  if (pipe2(ends, O_CLOEXEC) < 0) return err_set(err, errno, name, "pipe");
  cleanup_fd int out = ends[0];
  /* Ours alone: the command's end of a pipe has flags of its own. */
  (void)fcntl(out, F_SETFL, O_NONBLOCK);
  pid_t pid = fork();
  if (pid == 0) hook->kind == HOOK_EXEC ? become_exec(hook, b->run_dir, ends[1]) : become_asker(hook, b, deadline, ends[1]);
  close(ends[1]);
  if (pid < 0) return err_set(err, errno, name, "fork");
  cleanup_fd int child = (int)syscall(SYS_pidfd_open, pid, 0);
  int r = child < 0 ? -errno : serve(&c, out, child, main, deadline);
  /* The container's end takes what runs in it along. */
  (void)kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  (void)read_some(&c, out);
  (void)line_end(&c.cutter, on_line, &c);
  line_free(&c.cutter);
  if (r < 0) return err_set(err, -r, name, "%s", r == -ETIMEDOUT ? "it took too long" : "");
  return outcome(&c, status, err);
}

int hook_run(const struct hook *hook, const struct bundle *b, const char *name, int main, int64_t deadline, struct err *err) {
  int r = hook->kind == HOOK_NONE    ? 0
          : hook->kind == HOOK_SLEEP ? run_sleep(hook, main, deadline, err)
                                     : run_process(hook, b, name, main, deadline, err);
  /* What runs in a container is killed with it, a moment before its main process is seen to have ended. */
  return r < 0 && has_ended(main, r == -EINTR ? ENDS_MS : 0) ? 0 : r;
}
