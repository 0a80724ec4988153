/* podrt exec [OPTIONS] RUNDIR -- CMD…: a command in a running container, with its user, rights and environment. */
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/command.h"
#include "lib/identity.h"
#include "lib/joincontainer.h"
#include "lib/kernelfs.h"
#include "lib/number.h"
#include "lib/terminal.h"
#include "verbs.h"

static const char usage[] =
    "usage: podrt exec [--tty] [--interactive] [--env NAME=VALUE]… [--cwd DIR] [--user NAME[:GROUP]] [--attach-fd N] RUNDIR -- CMD…\n";

/* --- arguments --- */

/* The value of option `name` at argv[*i], `--name V` or `--name=V`; NULL when argv[*i] is something else. */
static const char *value_of(const char *name, int argc, char **argv, int *i) {
  size_t len = strlen(name);
  if (strncmp(argv[*i], name, len)) return NULL;
  if (argv[*i][len] == '=') return argv[*i] + len + 1;
  if (argv[*i][len] || *i + 1 >= argc) return NULL;
  return argv[++*i];
}

/* False for what the usage does not know. `env` has room for argc entries. */
static bool parse(int argc, char **argv, const char **env, struct exec_wish *ret) {
  size_t n = 0;
  int i = 1;
  *ret = (struct exec_wish){.env = env, .attach_fd = -1};
  for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
    const char *v;
    uint64_t fd;
    if (!strcmp(argv[i], "--tty")) {
      ret->tty = true;
    } else if (!strcmp(argv[i], "--interactive")) {
      ret->interactive = true;
    } else if ((v = value_of("--env", argc, argv, &i))) {
      if (*v == '=' || !strchr(v, '=')) return false;
      env[n++] = v;
    } else if ((v = value_of("--cwd", argc, argv, &i))) {
      if (*v != '/') return false;
      ret->cwd = v;
    } else if ((v = value_of("--user", argc, argv, &i))) {
      ret->user = v;
    } else if ((v = value_of("--attach-fd", argc, argv, &i))) {
      if (number_parse(v, false, 3, 1 << 20, &fd) < 0) return false;
      ret->attach_fd = (int)fd;
    } else {
      return false;
    }
  }
  env[n] = NULL;
  if (i + 2 >= argc || strcmp(argv[i + 1], "--")) return false;
  ret->run_dir = argv[i];
  ret->args = argv + i + 2;
  return ret->args[0][0] != 0;
}

/* --- the child --- */

/* What it says when it cannot execute. */
struct failure {
  int exit_code;
  struct err err;
};

static void child(const struct exec_wish *wish, struct exec_place *place, const struct user *user, int slave, int report) {
  struct failure f = {0};
  (void)exec_become(wish, place, user, slave, &f.exit_code, &f.err);
  (void)send(report, &f, sizeof f, MSG_NOSIGNAL);
  _exit(f.exit_code ? f.exit_code : EXIT_NOT_EXECUTABLE);
}

/* --- the parent --- */

static int open_signals(void) {
  const int numbers[] = {SIGCHLD, SIGWINCH, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < N_ELEMENTS(numbers); i++) sigaddset(&set, numbers[i]);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
  int fd = signalfd(-1, &set, SFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static int serve(const struct exec_wish *wish, int master, int signals, pid_t pid, struct err *err) {
  struct terminal t = {.fd = -1};
  if (master >= 0 && wish->interactive) {
    int r = terminal_raw(&t, err);
    if (r < 0) return r;
  }
  if (master >= 0) terminal_copy_size(&t, master);
  int status = terminal_serve(&t, master, signals, wish->tty && wish->interactive, pid);
  terminal_restore(&t);
  if (status < 0) return err_set(err, -status, "terminal", "%s", "");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const struct exec_wish *wish, struct exec_place *place, struct err *err) {
  struct user user;
  int report[2];
  cleanup_fd int master = -1;
  cleanup_fd int slave = -1;
  int r = identity_user(&place->bundle, wish->user, place->root, &user, err);
  if (r == 0 && wish->tty) r = kernelfs_terminal(place->devpts, user.uid, &master, &slave, err);
  if (r < 0) return r;
  /* Before anything runs there that may ask for it. */
  if (master >= 0) terminal_copy_size(&(struct terminal){.fd = STDIN_FILENO}, master);
  cleanup_fd int signals = open_signals();
  if (signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0)
    return err_set(err, signals < 0 ? -signals : errno, "exec", "%s", "");
  cleanup_fd int report_in = report[0];
  pid_t pid = fork();
  if (pid < 0) {
    close(report[1]);
    return err_set(err, errno, "fork", "%s", "");
  }
  if (pid == 0) child(wish, place, &user, slave, report[1]);
  close(report[1]);
  if (slave >= 0) close(steal_fd(&slave));
  r = serve(wish, master, signals, pid, err);
  /* The end of the socket, without a word, was the exec. */
  struct failure f;
  if (recv(report_in, &f, sizeof f, MSG_DONTWAIT) == (ssize_t)sizeof f) {
    err_print(&f.err, "exec");
    return f.exit_code ? f.exit_code : EXIT_NOT_EXECUTABLE;
  }
  return r;
}

int verb_exec(int argc, char **argv) {
  struct exec_wish wish;
  struct exec_place place;
  struct err err;
  cleanup_free const char **env = calloc((size_t)argc + 1, sizeof *env);
  if (!env || !parse(argc, argv, env, &wish)) {
    fputs(usage, stderr);
    return 64;
  }
  int r = exec_join(&wish, &place, &err);
  if (r == 0) {
    r = run(&wish, &place, &err);
    exec_place_free(&place);
  }
  if (r >= 0) return r;
  err_print(&err, "exec");
  return EXIT_PODRT;
}
