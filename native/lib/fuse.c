/* fuse-overlayfs, where the kernel's overlay does not work: see rootfs.h. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "rootfs.h"

#define PROGRAM "fuse-overlayfs"
enum { START_MS = 15 * 1000 };

/* `lowerdir=/proc/self/fd/9:…`: by descriptor, for paths may hold what the option's syntax does not. */
static char *options_of(const int *fds, size_t n, int upper, int work) {
  char *text = malloc(64 + 48 + n * 26);
  if (!text) return NULL;
  char *p = text + sprintf(text, "upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,lowerdir=", upper, work);
  for (size_t i = n; i-- > 0;) p += sprintf(p, "/proc/self/fd/%d%s", fds[i], i ? ":" : "");
  return text;
}

/* In the child: descriptors of the layers are the only ones it keeps. What it says goes to `words`, for it always says something. */
static void run_program(const struct bundle_rootfs *fs, const char *merged, int words) {
  int *fds = calloc(fs->n_layers, sizeof *fds);
  cleanup_free char *upper = xformat("%s/upper", fs->upper);
  cleanup_free char *work = xformat("%s/work", fs->upper);
  if (!fds || !upper || !work) _exit(125);
  for (size_t i = 0; i < fs->n_layers; i++)
    if ((fds[i] = open(fs->layers[i], O_PATH | O_DIRECTORY)) < 0) _exit(125);
  int upper_fd = open(upper, O_PATH | O_DIRECTORY), work_fd = open(work, O_PATH | O_DIRECTORY);
  char *options = upper_fd < 0 || work_fd < 0 ? NULL : options_of(fds, fs->n_layers, upper_fd, work_fd);
  if (!options || dup2(words, STDOUT_FILENO) < 0 || dup2(words, STDERR_FILENO) < 0) _exit(125);
  /* Layers that another driver's mounts marked have user.overlay.*, which is what fuse-overlayfs reads when it may not use trusted.*. */
  execlp(PROGRAM, PROGRAM, "-o", options, merged, NULL);
  _exit(errno == ENOENT ? 127 : 126);
}

/* With the last line of what it said. */
static int fail(int words, struct err *err) {
  char text[512];
  ssize_t n = read(words, text, sizeof text - 1);
  text[n > 0 ? n : 0] = 0;
  for (size_t len = strlen(text); len && text[len - 1] == '\n';) text[--len] = 0;
  const char *last = strrchr(text, '\n');
  return err_set(err, 0, PROGRAM, "%s", last ? last + 1 : *text ? text : "failed");
}

int rootfs_fuse(const struct bundle_rootfs *fs, struct err *err) {
  cleanup_free char *merged = xformat("%s/merged", fs->upper);
  if (!merged) return err_set(err, ENOMEM, PROGRAM, "%s", "");
  if (access("/dev/fuse", R_OK | W_OK) < 0) return err_set(err, ENODEV, PROGRAM, "/dev/fuse cannot be opened");
  int words[2];
  if (pipe2(words, O_CLOEXEC | O_NONBLOCK) < 0) return err_set(err, errno, "pipe", PROGRAM);
  cleanup_fd int words_in = words[0];
  pid_t pid = fork();
  if (pid == 0) run_program(fs, merged, words[1]);
  close(words[1]);
  if (pid < 0) return err_set(err, errno, "fork", PROGRAM);
  /* It puts itself into the background, and its first process ends, once the file system is there. */
  cleanup_fd int ended = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd p = {.fd = ended, .events = POLLIN};
  int r;
  do {
    r = ended < 0 ? -1 : poll(&p, 1, START_MS);
  } while (r < 0 && errno == EINTR);
  if (r != 1) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return err_set(err, errno, "wait", PROGRAM);
  if (r != 1) return err_set(err, ETIMEDOUT, PROGRAM, "does not serve");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return err_set(err, ENOENT, PROGRAM, "is not installed");
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : fail(words_in, err);
}
