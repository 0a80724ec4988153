/* Terminals handed over and served: what conmon gets, long paths of sockets, and exit statuses in the foreground. */
#include "oci/console.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

#include "expect.h"
#include "lib/fdmsg.h"

static int listen_at(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  return bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 1) == 0 ? fd : -1;
}

static int new_terminal(char name[64]) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  unlockpt(master);
  EXPECT(ptsname_r(master, name, 64) == 0);
  return master;
}

static void test_send(const char *at, int listener) {
  struct err err;
  char name[64], got[64] = "";
  int master = new_terminal(name), fd;
  EXPECT(console_send(at, master, &err) == 0);
  int conn = accept(listener, NULL, NULL);
  struct iovec iov = {.iov_base = got, .iov_len = sizeof got};
  size_t n;
  EXPECT(fdmsg_receive(conn, &iov, 1, &fd, 1, &n) == (ssize_t)strlen(name));
  EXPECT(n == 1 && !strcmp(got, name));
  struct stat a, b;
  EXPECT(fstat(fd, &a) == 0 && fstat(master, &b) == 0 && a.st_ino == b.st_ino);
  /* Nothing after it: whoever waits for the end sees it. */
  EXPECT(read(conn, got, 1) == 0);
  close(conn);
  close(fd);
  close(master);
}

static void test_paths(void) {
  char folder[] = "/tmp/test-console-XXXXXX", deep[256], path[300];
  struct err err;
  EXPECT(mkdtemp(folder) != NULL);
  snprintf(deep, sizeof deep, "%s/%0150d", folder, 0);
  EXPECT(mkdir(deep, 0700) == 0 && chdir(deep) == 0);
  int listener = listen_at("socket");
  EXPECT(listener >= 0);
  test_send("socket", listener);
  snprintf(path, sizeof path, "%s/socket", deep);
  test_send(path, listener);
  close(listener);
  EXPECT(console_send(path, 0, &err) == -ECONNREFUSED && !strcmp(err.step, "console-socket"));
  EXPECT(console_send("nowhere", 0, &err) == -ENOENT);
  EXPECT(unlink("socket") == 0 && chdir("/") == 0 && rmdir(deep) == 0 && rmdir(folder) == 0);
}

static void test_size(void) {
  char name[64];
  struct winsize size = {0};
  int master = new_terminal(name);
  char other[64];
  int own = new_terminal(other), was = dup(0);
  console_set_size(master, 25, 80);
  EXPECT(ioctl(master, TIOCGWINSZ, &size) == 0 && size.ws_row == 25 && size.ws_col == 80);
  size.ws_row = 33;
  EXPECT(ioctl(own, TIOCSWINSZ, &size) == 0 && dup2(own, 0) == 0);
  console_set_size(master, 0, 0);
  EXPECT(ioctl(master, TIOCGWINSZ, &size) == 0 && size.ws_row == 33 && size.ws_col == 80);
  dup2(was, 0);
  close(was);
  close(own);
  close(master);
}

/* In a child, since signals stay blocked. */
static int served(int how) {
  pid_t whole = fork();
  if (whole == 0) {
    struct err err;
    int signals = console_signals(&err);
    pid_t pid = fork();
    if (pid == 0) {
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, NULL);
      if (how == SIGUSR1) kill(getppid(), SIGUSR1); /* and is given it back */
      if (how == SIGUSR1) pause();
      if (how) kill(getpid(), how);
      _exit(7);
    }
    _exit(console_serve(-1, signals, pid, &err));
  }
  int status = 0;
  waitpid(whole, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void) {
  test_paths();
  test_size();
  EXPECT(served(0) == 7);
  EXPECT(served(SIGKILL) == 128 + SIGKILL);
  EXPECT(served(SIGUSR1) == 128 + SIGUSR1);
  return expect_end("console");
}
