/* Joining a container's cgroup: see containercgroup.h. */
#include "containercgroup.h"

#include <fcntl.h>

#include "proc.h"

/* Beside v1's hierarchies ("hybrid") systemd has cgroup2 one folder deeper. */
static const struct {
  const char *line, *mounts[2];
} kinds[2] = {{"0::", {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"}}, {":name=systemd:", {"/sys/fs/cgroup/systemd", NULL}}};

static int open_procs(const char *text, int kind) {
  const char *at = strstr(text, kinds[kind].line);
  if (!at) return -1;
  at += strlen(kinds[kind].line);
  for (size_t i = 0; i < N_ELEMENTS(kinds[kind].mounts) && kinds[kind].mounts[i]; i++) {
    cleanup_free char *path = xformat("%s%.*s/cgroup.procs", kinds[kind].mounts[i], (int)strcspn(at, "\n"), at);
    const int fd = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd >= 0) return fd;
  }
  return -1;
}

void container_cgroup_open(const char *run_dir, struct container_cgroup *ret) {
  struct run_state state;
  struct err ignored;
  char path[40];
  cleanup_free char *text = NULL;
  *ret = (struct container_cgroup){.fd = {-1, -1}};
  cleanup_fd int run = run_open(&ignored);
  cleanup_fd int dir = run < 0 ? -1 : run_open_at(run, run_dir, false, &ignored);
  if (dir < 0 || run_state_read(dir, &state, &ignored) < 0) return;
  snprintf(path, sizeof path, "/proc/%d/cgroup", (int)state.id.pid);
  if (read_file_at(AT_FDCWD, path, 64 * 1024, &text, NULL) < 0) return;
  for (int i = 0; i < 2; i++) ret->fd[i] = open_procs(text, i);
}

bool container_cgroup_enter(const struct container_cgroup *c) {
  bool in = true;
  /* 0: ourselves. */
  for (int i = 0; i < 2; i++)
    if (c->fd[i] >= 0 && write(c->fd[i], "0", 1) != 1) in = false;
  return in;
}

void container_cgroup_close(struct container_cgroup *c) {
  for (int i = 0; i < 2; i++) {
    if (c->fd[i] >= 0) close(c->fd[i]);
    c->fd[i] = -1;
  }
}
