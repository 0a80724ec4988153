/* gzip by igzip: see igzip.h. One loop moves bytes into its pipe and out of it, so neither side waits for the other for ever. */
#include "igzip.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { IN_SIZE = 256 * 1024, PIPE_SIZE = 1 << 20 };

struct igzip {
  pid_t pid;       /* 0 when reaped */
  int fd, stop;    /* borrowed */
  int to, from;    /* its stdin and stdout; -1 when closed */
  bool eof;        /* fd has no more */
  size_t pos, len; /* what is unsent in `in` */
  uint64_t used;
  uint8_t in[IN_SIZE];
};

/* The first igzip of PATH that may be executed, into `path`; relative folders of PATH do not count. */
static bool find(char path[PATH_MAX]) {
  const char *list = getenv("PATH");
  for (const char *p = list; p && *p;) {
    size_t n = strcspn(p, ":");
    if (*p == '/' && snprintf(path, PATH_MAX, "%.*s/igzip", (int)n, p) < PATH_MAX && access(path, X_OK) == 0) return true;
    p += n + (p[n] == ':');
  }
  return false;
}

/* In the new process, which has nothing but these pipes. */
static void run(const char *path, int in, int out, pid_t parent) {
  const struct rlimit none = {0};
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) _exit(127);
  if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) _exit(127);
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null < 0 || dup2(null, STDERR_FILENO) < 0) _exit(127);
  if (setrlimit(RLIMIT_FSIZE, &none) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) _exit(127);
  signal(SIGPIPE, SIG_DFL);
  char *const argv[] = {(char *)"igzip", (char *)"-dc", NULL}, *const env[] = {NULL};
  execve(path, argv, env);
  _exit(127);
}

static int start(struct igzip *z, const char *path) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) < 0) return -errno;
  cleanup_fd int in_rd = in[0];
  z->to = in[1];
  if (pipe2(out, O_CLOEXEC) < 0) return -errno;
  z->from = out[0];
  cleanup_fd int out_wr = out[1];
  /* Best effort: with less room there are more turns. */
  (void)fcntl(z->to, F_SETPIPE_SZ, PIPE_SIZE);
  (void)fcntl(z->from, F_SETPIPE_SZ, PIPE_SIZE);
  if (fcntl(z->to, F_SETFL, O_NONBLOCK) < 0) return -errno;
  pid_t self = getpid();
  z->pid = fork();
  if (z->pid == 0) run(path, in_rd, out_wr, self);
  return z->pid < 0 ? -errno : 0;
}

int igzip_open(const void *head, size_t len, int fd, int stop, struct igzip **ret) {
  char path[PATH_MAX];
  if (!find(path)) return -ENOENT;
  if (len > IN_SIZE) return -EINVAL;
  struct igzip *z = malloc(sizeof *z);
  if (!z) return -ENOMEM;
  memset(z, 0, offsetof(struct igzip, in));
  memcpy(z->in, head, len);
  z->len = z->used = len;
  z->fd = fd;
  z->stop = stop;
  z->to = z->from = -1;
  int r = start(z, path);
  if (r < 0) {
    z->pid = 0;
    igzip_free(z);
    return r;
  }
  *ret = z;
  return 0;
}

/* Reads more; what is read before is sent. */
static int fill(struct igzip *z, struct err *err) {
  ssize_t n = read(z->fd, z->in, IN_SIZE);
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return 0;
  if (n < 0) return err_set(err, errno, "read", "the layer");
  z->eof = n == 0;
  z->pos = 0;
  z->len = (size_t)n;
  z->used += (uint64_t)n;
  return 0;
}

/* Sends what there is; one that listens no more says why by its exit. */
static void feed(struct igzip *z) {
  ssize_t n = write(z->to, z->in + z->pos, z->len - z->pos);
  if (n >= 0)
    z->pos += (size_t)n;
  else if (errno != EAGAIN && errno != EINTR)
    z->pos = z->len, z->eof = true;
}

/* Its verdict, once it has closed its output. */
static int verdict(struct igzip *z, struct err *err) {
  int status;
  pid_t r;
  while ((r = waitpid(z->pid, &status, 0)) < 0 && errno == EINTR) continue;
  z->pid = 0;
  if (r < 0) return err_set(err, errno, "gzip", "igzip");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
  if (WIFSIGNALED(status)) {
    err_set(err, 0, "gzip", "igzip was ended by signal %d", WTERMSIG(status));
    return -EIO;
  }
  if (WEXITSTATUS(status) >= 126) {
    err_set(err, 0, "gzip", "igzip cannot be run (exit %d); without the package isal zlib does its work", WEXITSTATUS(status));
    return -EIO;
  }
  err_set(err, 0, "gzip", "corrupt data, or the layer is cut off");
  return -EBADMSG;
}

ssize_t igzip_read(struct igzip *z, void *buf, size_t len, struct err *err) {
  size_t done = 0;
  while (done < len && z->from >= 0) {
    if (z->to >= 0 && z->pos == z->len && z->eof) {
      close(z->to);
      z->to = -1;
    }
    bool more = z->to >= 0 && z->pos == z->len;
    struct pollfd p[] = {
        {.fd = z->from, .events = POLLIN},
        {.fd = more ? -1 : z->to, .events = POLLOUT},
        {.fd = more ? z->fd : -1, .events = POLLIN},
        {.fd = z->stop, .events = POLLIN},
    };
    if (poll(p, N_ELEMENTS(p), -1) < 0) {
      if (errno == EINTR) continue;
      return err_set(err, errno, "read", "the layer");
    }
    if (p[3].revents) return err_set(err, EINTR, "read", "the layer");
    if (p[1].revents) feed(z);
    int r = p[2].revents ? fill(z, err) : 0;
    if (r < 0) return r;
    if (!p[0].revents) continue;
    ssize_t n = read(z->from, (uint8_t *)buf + done, len - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return err_set(err, errno, "gzip", "igzip");
    done += (size_t)n;
    if (n > 0) continue;
    close(z->from);
    z->from = -1;
    if ((r = verdict(z, err)) < 0) return r;
  }
  return (ssize_t)done;
}

uint64_t igzip_used(const struct igzip *z) {
  return z->used;
}

void igzip_free(struct igzip *z) {
  if (!z) return;
  if (z->to >= 0) close(z->to);
  if (z->from >= 0) close(z->from);
  if (z->pid > 0) {
    (void)kill(z->pid, SIGKILL);
    while (waitpid(z->pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  free(z);
}
