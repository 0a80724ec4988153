/*
 * podrt changes: what a container has changed of its root file system, as the tar of a layer on standard output, inside the user namespace.
 *
 * With --freeze nothing of the container runs meanwhile; whatever ends us but kill -9, it runs again.
 */
#include <fcntl.h>
#include <getopt.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/statfs.h>

#include "lib/changes.h"
#include "lib/freeze.h"
#include "lib/number.h"
#include "lib/userns.h"
#include "verbs.h"

struct options {
  const char *bundle, *freeze;
  uint64_t pid; /* of the container, or 0 */
  struct changes_options changes;
};

static const char usage[] = "usage: podrt changes --bundle DIR [--pid PID] [--freeze CGROUP] [--latest SECONDS]\n";

static void print_warning(void *arg, const char *line) {
  (void)arg;
  fprintf(stderr, "podrt: changes: warning: %s\n", line);
}

static int parse(int argc, char **argv, struct options *o) {
  enum { BUNDLE = 1, PID, FREEZE, LATEST };
  static const struct option words[] = {
      {"bundle", required_argument, NULL, BUNDLE},
      {"pid", required_argument, NULL, PID},
      {"freeze", required_argument, NULL, FREEZE},
      {"latest", required_argument, NULL, LATEST},
      {0},
  };
  uint64_t latest = INT64_MAX;
  int r = 0;
  for (int c; r == 0 && (c = getopt_long(argc, argv, "", words, NULL)) != -1;) switch (c) {
      case BUNDLE:
        o->bundle = optarg;
        break;
      case PID:
        r = number_parse(optarg, false, 1, INT32_MAX, &o->pid);
        break;
      case FREEZE:
        o->freeze = optarg;
        break;
      case LATEST:
        r = number_parse(optarg, false, 0, INT64_MAX, &latest);
        break;
      default:
        return -EINVAL;
    }
  o->changes = (struct changes_options){.latest = (int64_t)latest, .warn = print_warning};
  return r == 0 && optind == argc && o->bundle ? 0 : -EINVAL;
}

/*
 * fuse-overlayfs keeps what was written in the kernel for a while. Before the freeze: its server is one of the container's cgroup. A
 * container that is gone has nothing left to hand over.
 */
static void sync_fuse(uint64_t pid) {
  struct statfs fs;
  cleanup_free char *path = xformat("/proc/%llu/root", (unsigned long long)pid);
  cleanup_fd int root = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (root >= 0 && fstatfs(root, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC) (void)syncfs(root);
}

static int changes(const struct options *o, struct err *err) {
  struct userns_map map = {0};
  struct bundle b;
  int r = bundle_read(o->bundle, &b, err);
  if (r < 0) return r;
  r = userns_enter(&map, err);
  signal(SIGPIPE, SIG_IGN);
  if (r == 0 && o->pid) sync_fuse(o->pid);
  if (r == 0 && o->freeze) r = freeze_begin(o->freeze, err);
  if (r == 0) r = changes_write(&b, &o->changes, STDOUT_FILENO, err);
  freeze_end();
  bundle_free(&b);
  return r;
}

int verb_changes(int argc, char **argv) {
  struct options o = {0};
  struct err err = {0};
  if (parse(argc, argv, &o) < 0) {
    fputs(usage, stderr);
    return 64;
  }
  if (changes(&o, &err) < 0) {
    err_print(&err, "changes");
    return 125;
  }
  return 0;
}
