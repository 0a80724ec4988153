/* A person's terminal on our side of exec: see terminal.h. */
#include "terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

int terminal_raw(struct terminal *ret, struct err *err) {
  *ret = (struct terminal){.fd = -1};
  if (!isatty(STDIN_FILENO)) return 0;
  if (tcgetattr(STDIN_FILENO, &ret->was) < 0) return err_set(err, errno, "terminal", "tcgetattr");
  struct termios raw = ret->was;
  cfmakeraw(&raw);
  if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0) return err_set(err, errno, "terminal", "tcsetattr");
  ret->fd = STDIN_FILENO;
  return 0;
}

void terminal_restore(struct terminal *t) {
  if (t->fd >= 0) (void)tcsetattr(t->fd, TCSADRAIN, &t->was);
  t->fd = -1;
}

void terminal_copy_size(const struct terminal *t, int master) {
  struct winsize size;
  if (t->fd >= 0 && ioctl(t->fd, TIOCGWINSZ, &size) == 0) (void)ioctl(master, TIOCSWINSZ, &size);
}

enum { BUFFER = 16 * 1024 };

/* One read's worth from one to the other. 1; 0 at the end of the source; -errno where the sink is gone. */
static int copy_some(int from, int to) {
  char buf[BUFFER];
  ssize_t n = read(from, buf, sizeof buf);
  if (n <= 0) return n < 0 && (errno == EINTR || errno == EAGAIN);
  int r = write_all(to, buf, (size_t)n);
  return r < 0 ? r : 1;
}

/* Keys for the pty, as many as it takes: a program that does not read must not keep us from showing what it writes. */
struct keys {
  char bytes[4096];
  size_t from, to;
};

static bool read_keys(struct keys *k) {
  ssize_t n = read(STDIN_FILENO, k->bytes, sizeof k->bytes);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (n < 0) return false;
  if (n == 0) {
    /* Standard input ends: what a terminal says for that is ^D. */
    k->bytes[0] = 4;
    k->from = 0;
    k->to = 1;
    return false;
  }
  k->from = 0;
  k->to = (size_t)n;
  return true;
}

static bool write_keys(struct keys *k, int master) {
  ssize_t n = write(master, k->bytes + k->from, k->to - k->from);
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  k->from += (size_t)n;
  return true;
}

/* 1: the child has ended, *ret is its status. */
static int on_signal(const struct terminal *t, int master, int signals, pid_t pid, int *ret) {
  struct signalfd_siginfo info;
  if (read(signals, &info, sizeof info) != sizeof info) return 0;
  if (info.ssi_signo == SIGWINCH)
    terminal_copy_size(t, master);
  else if (info.ssi_signo != SIGCHLD)
    (void)kill(pid, (int)info.ssi_signo);
  return waitpid(pid, ret, WNOHANG) == pid;
}

/* What is still in the pty when the process is gone; others that it started may hold it open, so that the end may not come. */
static void drain(int master) {
  struct pollfd p = {.fd = master, .events = POLLIN};
  while (poll(&p, 1, 0) == 1 && p.revents & POLLIN && copy_some(master, STDOUT_FILENO) > 0) {
  }
}

int terminal_serve(const struct terminal *t, int master, int signals, bool interactive, pid_t pid) {
  struct keys keys = {.from = 0, .to = 0};
  bool input = interactive, output = true;
  for (;;) {
    bool pending = keys.from < keys.to;
    struct pollfd p[] = {
        {.fd = signals, .events = POLLIN},
        {.fd = output ? master : -1, .events = (short)(POLLIN | (pending ? POLLOUT : 0))},
        {.fd = input && !pending ? STDIN_FILENO : -1, .events = POLLIN},
    };
    if (poll(p, 3, -1) < 0 && errno != EINTR) return -errno;
    int status;
    if (p[0].revents & POLLIN && on_signal(t, master, signals, pid, &status)) {
      if (output) drain(master);
      return status;
    }
    if (p[1].revents & POLLOUT && pending && !write_keys(&keys, master)) output = false;
    /* EIO when no slave is open any more; the process may live on without its terminal. */
    int copied = p[1].revents & (POLLIN | POLLHUP | POLLERR) ? copy_some(master, STDOUT_FILENO) : 1;
    if (copied < 0) return copied;
    if (copied == 0) output = false;
    if (p[2].revents && !read_keys(&keys)) input = false;
  }
}
