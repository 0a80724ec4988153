/* podrt rmtree PATH…: removes folders whose files belong to subordinate ids, as root in the user namespace. */
#include <fcntl.h>

#include "lib/rmtree.h"
#include "lib/userns.h"
#include "verbs.h"

/* The parent may be reached by symlinks (a home on another disk), which are the user's own; what is removed may not be one. */
static int remove_path(char *path, struct err *err) {
  size_t len = strlen(path);
  while (len > 1 && path[len - 1] == '/') path[--len] = 0;
  char *slash = strrchr(path, '/');
  const char *name = slash ? slash + 1 : path, *parent = !slash ? "." : slash == path ? "/" : path;
  if (slash) *slash = 0;
  cleanup_fd int dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return errno == ENOENT ? 0 : err_set(err, errno, "open", "%s", parent);
  return rmtree_at(dir, name, err);
}

int verb_rmtree(int argc, char **argv) {
  int first = argc > 1 && !strcmp(argv[1], "--") ? 2 : 1;
  if (first >= argc || (first == 1 && argv[1][0] == '-')) {
    fputs("usage: podrt rmtree [--] PATH…\n", stderr);
    return 64;
  }
  struct err err;
  struct userns_map map;
  if (userns_enter(&map, &err) < 0) {
    err_print(&err, "rmtree");
    return 125;
  }
  int code = 0;
  for (int i = first; i < argc; i++) {
    if (remove_path(argv[i], &err) == 0) continue;
    err_print(&err, "rmtree");
    code = 125;
  }
  /* Files of ids that a single-id namespace does not have. */
  if (code && map.single) fprintf(stderr, "podrt: rmtree: %s\n", map.reason);
  return code;
}
