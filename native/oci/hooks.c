/* Hooks: see hooks.h. */
#include "hooks.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/deadline.h"
#include "lib/payload.h"

enum { WORDS_MAX = 256, CHUNK = 4096, PATH_SHOWN = 160 };

/* What a running hook is to us. */
struct running {
  const struct oci_hook *hook;
  pid_t pid;
  int pidfd;
  int error;                /* read end of its stderr; -1: at its end */
  char last[WORDS_MAX + 1]; /* what came last by it */
  size_t n_last;
  char chunk[CHUNK]; /* not yet passed on */
  size_t n_chunk;
};

/* --- start --- */

/* A file instead of a pipe: a hook that does not read blocks nobody, and nobody gets SIGPIPE. */
static int make_stdin(const char *state) {
  cleanup_fd int fd = memfd_create("state", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  int r = write_all(fd, state, strlen(state));
  if (r == 0 && lseek(fd, 0, SEEK_SET) < 0) r = -errno;
  return r < 0 ? r : steal_fd(&fd);
}

/* Between vfork and exec, on the parent's memory: system calls alone. */
static void become(int payload, int in, int error, const char *const *argv, const char *const *env) {
  sigset_t none;
  sigemptyset(&none);
  /* A group of its own, which a timeout ends altogether. */
  (void)setpgid(0, 0);
  for (int s = 1; s < NSIG; s++) (void)signal(s, SIG_DFL);
  (void)sigprocmask(SIG_SETMASK, &none, NULL);
  if (dup2(in, 0) < 0 || dup2(error, 2) < 0) _exit(EXIT_FAILURE);
  /* Whatever we were given besides is not for it. The payload too is closed at exec. */
  if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) _exit(EXIT_FAILURE);
  (void)syscall(SYS_execveat, payload, "", argv, env, AT_EMPTY_PATH);
  _exit(EXIT_FAILURE);
}

/*
 * By lib/payload.h's page, as a container's payload: a hook startContainer is a file of the container, which may be a script for
 * /proc/self/exe. Then that is not podrt.
 */
static int start(struct running *run, int payload, const char *state, struct err *err) {
  static const char *const nothing[] = {NULL};
  const struct oci_hook *hook = run->hook;
  const char *const own[] = {hook->path, NULL}, *const *words = hook->args && hook->args[0] ? hook->args : own;
  size_t n = 0;
  int pipe_fds[2];
  if (access(hook->path, X_OK) < 0) return err_set(err, errno, "hook", "%s", hook->path);
  while (words[n]) n++;
  cleanup_free const char **argv = calloc(n + 2, sizeof *argv);
  cleanup_fd int in = make_stdin(state);
  if (!argv || in < 0) return err_set(err, argv ? -in : ENOMEM, "hook", "%s", hook->path);
  argv[0] = hook->path;
  memcpy(argv + 1, words, n * sizeof *argv);
  if (pipe2(pipe_fds, O_CLOEXEC) < 0) return err_set(err, errno, "hook", "%s", hook->path);
  cleanup_fd int error = pipe_fds[1];
  run->error = pipe_fds[0];
  (void)fcntl(run->error, F_SETFL, O_NONBLOCK);
  run->pid = vfork();
  if (run->pid == 0) become(payload, in, error, argv, hook->env ? hook->env : nothing);
  if (run->pid < 0) return err_set(err, errno, "hook", "fork for %s", hook->path);
  run->pidfd = pidfd_open(run->pid, 0);
  return run->pidfd < 0 ? err_set(err, errno, "hook", "pidfd of %s", hook->path) : 0;
}

/* --- its stderr --- */

static void remember(struct running *run, const char *text, size_t n) {
  if (n > WORDS_MAX) {
    text += n - WORDS_MAX;
    n = WORDS_MAX;
  }
  size_t keep = run->n_last + n > WORDS_MAX ? WORDS_MAX - n : run->n_last;
  memmove(run->last, run->last + run->n_last - keep, keep);
  memcpy(run->last + keep, text, n);
  run->n_last = keep + n;
}

/* Takes what is there. False: nothing, or its end. */
static bool take(struct running *run) {
  ssize_t n = read(run->error, run->chunk, sizeof run->chunk);
  if (n > 0) {
    run->n_chunk = (size_t)n;
    remember(run, run->chunk, run->n_chunk);
    return true;
  }
  if (n == 0) close(steal_fd(&run->error));
  return false;
}

/*
 * Passes it on, if there is room: a pipe that poll(2) calls writable has it for PIPE_BUF, which a chunk is. Where nobody reads any more it
 * is dropped, and we get no SIGPIPE.
 */
static bool pass(struct running *run) {
  struct pollfd p = {.fd = 2, .events = POLLOUT};
  if (poll(&p, 1, 0) <= 0) return false;
  if (p.revents == POLLOUT) (void)write_all(2, run->chunk, run->n_chunk);
  run->n_chunk = 0;
  return true;
}

/* What is left at the end; what the hook has left running may go on writing, and is not waited for. */
static void take_rest(struct running *run) {
  for (int i = 0; i < 16; i++) {
    if (run->n_chunk && !pass(run)) return;
    if (run->error < 0 || !take(run)) return;
  }
}

/* --- end --- */

/* Until its end: 0; -ETIMEDOUT. A round is woken by its end, by its stderr, or by room in ours. */
static int follow(struct running *run, int64_t deadline) {
  for (;;) {
    const bool full = run->n_chunk > 0;
    struct pollfd p[] = {
        {.fd = run->pidfd, .events = POLLIN}, {.fd = full ? -1 : run->error, .events = POLLIN}, {.fd = full ? 2 : -1, .events = POLLOUT}};
    int r = poll(p, N_ELEMENTS(p), deadline_left(deadline));
    if (r < 0 && errno == EINTR) continue;
    if (r <= 0) return r < 0 ? -errno : -ETIMEDOUT;
    if (p[2].revents) (void)pass(run);
    if (p[1].revents) (void)take(run);
    if (p[0].revents) return 0;
  }
}

/* The last words on one line. */
static const char *words(struct running *run) {
  while (run->n_last && (unsigned char)run->last[run->n_last - 1] <= ' ') run->n_last--;
  run->last[run->n_last] = 0;
  for (char *p = run->last; *p; p++)
    if ((unsigned char)*p < ' ') *p = ' ';
  return run->last;
}

static int judge(struct running *run, int64_t timeout, bool late, int status, struct err *err) {
  const char *path = run->hook->path;
  if (late) return err_set(err, 0, "hook", "%.*s: not done after %lld s, and killed", PATH_SHOWN, path, (long long)timeout);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  const bool killed = WIFSIGNALED(status);
  const char *said = words(run);
  return err_set(err, 0, "hook", "%.*s: %s %d%s%s", PATH_SHOWN, path, killed ? "ended by signal" : "exit status",
                 killed ? WTERMSIG(status) : WEXITSTATUS(status), *said ? ": " : "", said);
}

static int run_one(const struct oci_hook *hook, int payload, const char *state, struct err *err) {
  struct running run = {.hook = hook, .pid = -1, .pidfd = -1, .error = -1};
  int status = 0;
  int r = start(&run, payload, state, err);
  if (r == 0) {
    const bool timed = hook->timeout > 0 && hook->timeout < INT32_MAX;
    int waited = follow(&run, timed ? clock_ms() + hook->timeout * 1000 : -1);
    if (waited < 0) (void)kill(-run.pid, SIGKILL);
    /* It may have left its own group, and startContainer's are the image's. */
    if (waited < 0) (void)pidfd_send_signal(run.pidfd, SIGKILL, NULL, 0);
    while (waitpid(run.pid, &status, 0) < 0 && errno == EINTR) {
    }
    take_rest(&run);
    r = judge(&run, hook->timeout, waited < 0, status, err);
  } else if (run.pid > 0) {
    (void)kill(-run.pid, SIGKILL);
    (void)waitpid(run.pid, &status, 0);
  }
  cleanup_fd_p(&run.pidfd);
  cleanup_fd_p(&run.error);
  return r;
}

int oci_hooks_run(const struct oci_hooks *hooks, const char *state, bool all, int payload, struct err *err) {
  const struct sigaction standard = {.sa_handler = SIG_DFL};
  struct sigaction old;
  if (!hooks->n) return 0;
  /* Where it is ignored, as whoever started us may have left it, the kernel keeps no exit status. */
  (void)sigaction(SIGCHLD, &standard, &old);
  cleanup_fd int own = payload < 0 ? payload_open(err) : -1;
  if (payload < 0) payload = own;
  int r = payload < 0 ? payload : 0;
  for (size_t i = 0; i < hooks->n && r == 0; i++) {
    struct err one;
    if (run_one(&hooks->hook[i], payload, state, &one) == 0) continue;
    if (all) {
      err_print(&one, "hooks");
      continue;
    }
    *err = one;
    r = -ECANCELED;
  }
  (void)sigaction(SIGCHLD, &old, NULL);
  return r;
}
