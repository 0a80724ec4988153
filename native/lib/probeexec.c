/* A probe that executes a command in the container: see probe_try_exec in probetry.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "command.h"
#include "containercgroup.h"
#include "deadline.h"
#include "identity.h"
#include "joincontainer.h"
#include "probetry.h"

enum { OUTPUT_MAX = 160 };

/* What the child says when it cannot become the command. */
struct failure {
  int exit_code;
  struct err err;
};

/* The child: in the container's cgroup, its user, its rights, its environment. */
static void become(const struct exec_wish *wish, struct exec_place *place, const struct user *user, const struct container_cgroup *cgroup,
                   int out, int report) {
  struct failure f = {0};
  /* The pipe is the container's user's, as a container's own are, so that /dev/stdout can be opened anew. */
  if (dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(EXIT_PODRT);
  /* Where that does not work it runs beside the container, under the limits of the pod. */
  (void)container_cgroup_enter(cgroup);
  (void)exec_become(wish, place, user, -1, &f.exit_code, &f.err);
  (void)!write(report, &f, sizeof f);
  _exit(f.exit_code ? f.exit_code : EXIT_NOT_EXECUTABLE);
}

struct output {
  char text[OUTPUT_MAX];
  size_t len;
};

/* Its beginning; what is more is thrown away, so that nobody waits for us. */
static bool take(int fd, struct output *o) {
  char bytes[512];
  for (;;) {
    const ssize_t n = read(fd, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 && errno == EAGAIN;
    const size_t room = sizeof o->text - 1 - o->len, len = (size_t)n < room ? (size_t)n : room;
    memcpy(o->text + o->len, bytes, len);
    o->len += len;
  }
}

/* Until it ends, is to end, or its time is over. 0, -ETIMEDOUT, -EINTR. */
static int attend(int child, int out, int signals, int64_t deadline, struct output *o) {
  struct pollfd p[] = {{.fd = child, .events = POLLIN}, {.fd = signals, .events = POLLIN}, {.fd = out, .events = POLLIN}};
  for (;;) {
    const int left = deadline_left(deadline);
    const int r = left == 0 ? 0 : poll(p, N_ELEMENTS(p), left);
    if (r == 0) return -ETIMEDOUT;
    if (r < 0 && errno != EINTR) return -errno;
    if (r < 0) continue;
    if (p[2].revents && !take(out, o)) p[2].fd = -1;
    if (p[1].revents) return -EINTR;
    if (p[0].revents) return 0;
  }
}

static int outcome(int status, struct output *o, struct err *err) {
  while (o->len && (o->text[o->len - 1] == '\n' || o->text[o->len - 1] == ' ')) o->len--;
  o->text[o->len] = 0;
  const char *between = o->len ? ": " : "";
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  if (WIFEXITED(status)) return err_set(err, 0, "exec", "exited with status %d%s%s", WEXITSTATUS(status), between, o->text), -EIO;
  return err_set(err, 0, "exec", "killed by signal %d%s%s", WTERMSIG(status), between, o->text), -EIO;
}

static int run(const struct exec_wish *wish, struct exec_place *place, const struct container_cgroup *cgroup, int64_t deadline,
               struct err *err) {
  struct user user;
  struct output o = {.len = 0};
  int out[2], report[2], status = 0;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  (void)sigprocmask(SIG_BLOCK, &set, NULL);
  cleanup_fd int signals = signalfd(-1, &set, SFD_CLOEXEC);
  int r = identity_user(&place->bundle, NULL, place->root, &user, err);
  if (r < 0) return r;
  if (signals < 0 || pipe2(out, O_CLOEXEC) < 0) return err_set(err, errno, "exec", "%s", "");
  cleanup_fd int out_end = out[0];
  cleanup_fd int out_in = out[1];
  if (pipe2(report, O_CLOEXEC) < 0) return err_set(err, errno, "exec", "%s", "");
  cleanup_fd int report_end = report[0];
  cleanup_fd int report_in = report[1];
  (void)fchown(out_in, user.uid, user.gid);
  (void)fcntl(out_end, F_SETFL, O_NONBLOCK);
  const pid_t pid = fork();
  if (pid < 0) return err_set(err, errno, "exec", "fork");
  if (pid == 0) become(wish, place, &user, cgroup, out_in, report_in);
  close(steal_fd(&out_in));
  close(steal_fd(&report_in));
  cleanup_fd int child = (int)syscall(SYS_pidfd_open, pid, 0);
  r = child < 0 ? -errno : attend(child, out_end, signals, deadline, &o);
  /* The command leads a session, and so a group. */
  if (r < 0) (void)kill(-pid, SIGKILL);
  if (r < 0) (void)kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (r < 0) return err_set(err, -r, "exec", "%s", wish->args[0]);
  (void)take(out_end, &o);
  struct failure f;
  if (read(report_end, &f, sizeof f) == (ssize_t)sizeof f) {
    *err = f.err;
    return f.err.code ? -f.err.code : -EIO;
  }
  return outcome(status, &o, err);
}

int probe_try_exec(const char *run_dir, const struct probe *p, int64_t deadline, bool *ret_unknown, struct err *err) {
  const char *none = NULL;
  const struct exec_wish wish = {.run_dir = run_dir, .env = &none, .attach_fd = -1, .args = (char **)p->command};
  struct exec_place place;
  struct container_cgroup cgroup;
  container_cgroup_open(run_dir, &cgroup);
  int r = exec_join(&wish, &place, err);
  *ret_unknown = r < 0;
  if (r == 0) {
    r = run(&wish, &place, &cgroup, deadline, err);
    exec_place_free(&place);
  }
  container_cgroup_close(&cgroup);
  return r;
}
