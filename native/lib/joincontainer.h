/* exec: from a run folder to a process in that container. */
#pragma once
#include "bundle.h"
#include "environ.h"
#include "user.h"

struct exec_wish {
  const char *run_dir; /* "pods/web/app" */
  bool tty, interactive;
  const char **env;       /* NAME=value, NULL at the end */
  const char *cwd, *user; /* NULL: as the container */
  int attach_fd;          /* a byte on it says that we are in the right cgroup; -1: do not wait */
  char **args;
};

struct exec_place {
  struct bundle bundle;
  struct environment env;
  int payload, root, devpts;
  bool other_formats;
};

/*
 * Reads state and bundle, waits for attach_fd, and joins all namespaces of the container; children are in its PID namespace then.
 * We are not dumpable, and hold no descriptor of the host but 0, 1 and 2. -ESRCH: it does not run.
 */
int exec_join(const struct exec_wish *wish, struct exec_place *ret, struct err *err);
void exec_place_free(struct exec_place *place);

/* In a child: becomes the command. `slave` is its terminal, or -1. Only returns on failure, with the exit code. */
int exec_become(const struct exec_wish *wish, struct exec_place *place, const struct user *user, int slave, int *ret_exit, struct err *err);
