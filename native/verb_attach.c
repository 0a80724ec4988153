/* podrt attach RUNDIR: passes our standard input on to that of a container that waits for somebody (stdinpipe.h), until ours or the
 * container ends. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "lib/bundle.h"
#include "lib/proc.h"
#include "lib/relay.h"
#include "lib/started.h"
#include "lib/stdinpipe.h"
#include "verbs.h"

/* 0: ours is at its end; 1: the container, or its interest in it, is. */
static int pass_on(int out, int main, struct err *err) {
  char bytes[16 * 1024];
  size_t at = 0, len = 0;
  for (;;) {
    struct pollfd p[] = {{.fd = main, .events = POLLIN},
                         {.fd = at < len ? -1 : STDIN_FILENO, .events = POLLIN},
                         {.fd = out, .events = at < len ? POLLOUT : 0}};
    if (poll(p, N_ELEMENTS(p), -1) < 0) {
      if (errno == EINTR) continue;
      return err_set(err, errno, "poll", "%s", "");
    }
    if (p[0].revents || (p[2].revents & POLLERR)) return 1;
    if (p[1].revents) {
      const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
      if (n == 0) return 0;
      if (n < 0 && errno != EINTR && errno != EAGAIN) return err_set(err, errno, "read", "standard input");
      at = 0;
      len = n > 0 ? (size_t)n : 0;
    }
    if (at < len) {
      const ssize_t n = write(out, bytes + at, len - at);
      if (n < 0 && errno == EPIPE) return 1;
      if (n < 0 && errno != EINTR && errno != EAGAIN) return err_set(err, errno, "write", STDIN_FIFO);
      if (n > 0) at += (size_t)n;
    }
  }
}

/* Ours alone from now on: infra lets go of it when we have it, so that its end is ours. */
static int take(int run, int dir, const struct bundle *b, struct err *err) {
  cleanup_fd int infra = run_open_at(run, b->join, false, err);
  if (infra < 0) return infra;
  int r = relay_stdin_drop(infra, b->unit, err);
  return r < 0 && r != -ENOENT ? r : stdinpipe_take(dir, err);
}

static int attach(const char *run_dir, struct err *err) {
  cleanup_free char *folder = NULL;
  struct bundle bundle;
  struct proc_id id;
  cleanup_fd int run = run_open(err);
  cleanup_fd int dir = run < 0 ? run : run_open_at(run, run_dir, false, err);
  if (dir < 0) return dir;
  int r = started_read(dir, &id, &folder, err);
  if (r < 0) return r;
  cleanup_fd int main = proc_open(&id);
  if (main < 0) return err_set(err, -main, "container", "%s", run_dir);
  r = bundle_read(folder, &bundle, err);
  if (r < 0) return r;
  cleanup_fd int out = -1;
  if (bundle.input == STDIN_NONE) {
    r = -EINVAL;
    err_set(err, 0, "attach", "the container has no standard input (stdin: true)");
  } else {
    r = out = stdinpipe_open(dir, err);
  }
  if (r >= 0 && bundle.input == STDIN_ONCE) r = take(run, dir, &bundle, err);
  bundle_free(&bundle);
  if (r == -ENOENT) return err_set(err, 0, "attach", "somebody has attached to its standard input already (stdinOnce: true)"), r;
  if (r == -ENXIO) return err_set(err, 0, "attach", "the container does not read its standard input any more"), r;
  if (r < 0) return r;
  r = pass_on(out, main, err);
  return r < 0 ? r : 0;
}

int verb_attach(int argc, char **argv) {
  struct err err;
  if (argc != 2 || argv[1][0] == '-') {
    fputs("usage: podrt attach RUNDIR\n", stderr);
    return 64;
  }
  (void)signal(SIGPIPE, SIG_IGN);
  if (attach(argv[1], &err) >= 0) return 0;
  err_print(&err, "attach");
  return 125;
}
