/* Termination messages: see lastwords.h. */
#include "lastwords.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "proc.h"
#include "relay.h"
#include "tail.h"
#include "utf8.h"

int lastwords_make(int folder, struct err *err) {
  /* Anew: somebody may still have the last one. */
  if (unlinkat(folder, LASTWORDS_FILE, 0) < 0 && errno != ENOENT) return err_set(err, errno, "remove", LASTWORDS_FILE);
  cleanup_fd int fd = openat(folder, LASTWORDS_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || fchmod(fd, 0666) < 0) return err_set(err, errno, "make", LASTWORDS_FILE);
  return 0;
}

/* The container owns what is in it, and may have made it another's or nobody's to read, but it cannot put another file in its place. */
static int open_words(const char *path) {
  const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int fd = open(path, flags);
  if (fd < 0 && errno == EACCES && chmod(path, 0600) == 0) fd = open(path, flags);
  return fd < 0 ? -errno : fd;
}

/* The end of the file. NULL: there is none, or it is empty. */
static char *read_words(const char *path) {
  struct stat st;
  char bytes[LASTWORDS_MAX];
  cleanup_fd int fd = open_words(path);
  if (fd == -ENOENT) return NULL;
  int r = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
  const ssize_t n = r < 0 ? 0 : pread(fd, bytes, sizeof bytes, st.st_size > LASTWORDS_MAX ? st.st_size - LASTWORDS_MAX : 0);
  if (r == 0 && n < 0) r = -errno;
  (void)unlink(path);
  if (r < 0) return xformat("its termination message cannot be read: %s", strerror(-r));
  return n ? utf8_clean(bytes, (size_t)n) : NULL;
}

/* "pods/web/app": the folder of its infra, and its unit's log field. */
static char *ask_log(int run, const char *run_dir) {
  struct err ignored;
  const char *slash = strrchr(run_dir, '/');
  if (!slash || strncmp(run_dir, "pods/", 5) != 0 || slash <= run_dir + 5) return NULL;
  const int len = (int)(slash - run_dir - 5);
  cleanup_free char *infra = xformat("pods/%.*s/_infra", len, run_dir + 5);
  cleanup_free char *unit = xformat("pod-%.*s_%s.service", len, run_dir + 5, slash + 1);
  cleanup_fd int dir = infra ? run_open_at(run, infra, false, &ignored) : -1;
  char bytes[TAIL_BYTES];
  size_t n = 0;
  if (dir < 0 || !unit || relay_tail_ask(dir, unit, bytes, sizeof bytes, &n, &ignored) < 0 || !n) return NULL;
  return utf8_clean(bytes, n);
}

char *lastwords_take(int run, const char *run_dir, int dir, bool failed) {
  cleanup_free char *text = NULL;
  size_t len;
  if (read_file_at(dir, "state.json", 64 * 1024, &text, &len) < 0) return NULL;
  json_t *root = json_loadb(text, len, 0, NULL);
  const char *path = json_string_value(json_object_get(root, "message"));
  char *words = path ? read_words(path) : NULL;
  if (path && !words && failed && json_is_true(json_object_get(root, "messageLogs"))) words = ask_log(run, run_dir);
  json_decref(root);
  return words;
}
