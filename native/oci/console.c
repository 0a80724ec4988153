/* The terminal of an OCI container on our side: see console.h. */
#include "console.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "lib/fdmsg.h"
#include "lib/signals.h"
#include "lib/terminal.h"

/* --- handed over --- */

int console_connect(const char *path, const char *option, struct err *err) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  cleanup_fd int file = -1;
  if (strlen(path) < sizeof a.sun_path) {
    strcpy(a.sun_path, path);
  } else {
    /* Longer than an address may be: connect(2) follows our own descriptor's link instead. */
    file = open(path, O_PATH | O_CLOEXEC);
    if (file < 0) return err_set(err, errno, option, "%s", path);
    snprintf(a.sun_path, sizeof a.sun_path, "/proc/self/fd/%d", file);
  }
  cleanup_fd int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (sock < 0) return err_set(err, errno, "socket", "%s", "");
  if (connect(sock, (const struct sockaddr *)&a, sizeof a) < 0) return err_set(err, errno, option, "%s", path);
  return steal_fd(&sock);
}

int console_give(int sock, int fd, const char *name, struct err *err) {
  /* At least a byte: descriptors do not travel alone (unix(7)). */
  struct iovec iov = {.iov_base = (void *)(*name ? name : "-"), .iov_len = *name ? strlen(name) : 1};
  const struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
  int r = fdmsg_send(sock, &msg, &fd, 1);
  return r < 0 ? err_set(err, -r, "send", "%s", name) : 0;
}

int console_give_terminal(int sock, int master, struct err *err) {
  unsigned number = 0;
  char name[32] = "/dev/ptmx";
  if (ioctl(master, TIOCGPTN, &number) == 0) snprintf(name, sizeof name, "/dev/pts/%u", number);
  return console_give(sock, master, name, err);
}

int console_send(const char *path, int master, struct err *err) {
  cleanup_fd int sock = console_connect(path, "console-socket", err);
  return sock < 0 ? sock : console_give_terminal(sock, master, err);
}

void console_set_size(int fd, unsigned short rows, unsigned short columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  if (rows || columns || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) (void)ioctl(fd, TIOCSWINSZ, &size);
}

/* --- in the foreground --- */

int console_signals(struct err *err) {
  sigset_t set;
  signals_stop(&set);
  /* Those of faults are our own, not a wish of somebody outside; SIGPIPE is an answer to what we write. */
  static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPIPE};
  for (size_t i = 0; i < N_ELEMENTS(own); i++) sigdelset(&set, own[i]);
  sigaddset(&set, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return err_set(err, errno, "sigprocmask", "%s", "");
  /* An ignored one, which a shell's background job may inherit, has no zombie to wait for (wait(2)). */
  (void)signal(SIGCHLD, SIG_DFL);
  int fd = signalfd(-1, &set, SFD_CLOEXEC);
  return fd < 0 ? err_set(err, errno, "signalfd", "%s", "") : fd;
}

int console_serve(int master, int signals, pid_t pid, struct err *err) {
  struct terminal t = {.fd = -1};
  int r = master >= 0 ? terminal_raw(&t, err) : 0;
  if (r < 0) return r;
  /* Its end may have been before, and whoever waited for a child meanwhile (a hook's) may have taken the signal: look once by ourselves. */
  (void)raise(SIGCHLD);
  /* Nobody who sees what it writes: an error, after which the caller ends it; killed by the signal we would leave it behind. */
  (void)signal(SIGPIPE, SIG_IGN);
  int status = terminal_serve(&t, master, signals, master >= 0, pid);
  terminal_restore(&t);
  if (status < 0) return err_set(err, -status, "terminal", "%s", "");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
