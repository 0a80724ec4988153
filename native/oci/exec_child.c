/* The new process of podrt exec, from its clone to the command: see exec.h. */
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include "console.h"
#include "exec.h"
#include "lib/command.h"
#include "lib/inroot.h"
#include "lib/kernelfs.h"
#include "lib/number.h"
#include "lib/payload.h"
#include "lib/user.h"
#include "ns.h"
#include "process.h"
#include "selinux.h"

enum { DEVPTS_MAGIC = 0x1cd1 };

struct work {
  struct exec_child *child;
  struct environment env;
  struct oci_become become;
  int root, exit_code;
  char *path;
};

/* --- talking --- */

static int say(struct work *w, enum oci_message message, int number, int fd, struct err *err) {
  const struct oci_report report = {.message = message, .number = number};
  int r = oci_report_send(w->child->sock, &report, fd);
  return r < 0 ? err_set(err, -r, "sync", "%s", "with podrt") : 0;
}

/* A filter may forbid sendmsg(2), which carries the listener; write(2) then tells its number. */
static int say_ready(struct work *w, struct err *err) {
  const int listener = w->become.listener;
  if (listener >= 0 && say(w, OCI_READY, listener, listener, err) == 0) return 0;
  return say(w, OCI_READY, listener, -1, err);
}

static int await_go(struct work *w, struct err *err) {
  struct oci_report report;
  int fd;
  int r = oci_report_receive(w->child->sock, &report, &fd);
  if (fd >= 0) close(fd);
  return r < 0 || report.message != OCI_GO ? err_set(err, 0, "sync", "%s", "podrt is gone") : 0;
}

/* --- the place --- */

static int enter(struct work *w, struct err *err) {
  struct exec_child *c = w->child;
  /* The cgroup first: its files are the host's. */
  int r = oci_cgroup_join(&c->plan->container.cgroup, &c->guest, err);
  if (r < 0) return r;
  if (setsid() < 0) return err_set(err, errno, "setsid", "%s", "");
  if (c->join && setns(c->init, (int)c->join) < 0) return err_set(err, errno, "setns", "the container's namespaces");
  if (c->new_root) r = oci_ns_become_root(&c->plan->spec, c->plan->keep_groups, err);
  if (r < 0) return r;
  /* setns(2) to a mount namespace has put us at its root. */
  w->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return w->root < 0 ? err_set(err, errno, "open", "/ of the container") : 0;
}

/* Of the container's devpts, which a process of its own could have covered by something that answers strangely. */
static int make_terminal(struct work *w, struct err *err) {
  const struct oci_process *p = &w->child->plan->process;
  struct statfs fs;
  int master, slave;
  cleanup_fd int devpts = inroot_open(w->root, "/dev/pts", O_PATH | O_DIRECTORY, INROOT);
  if (devpts < 0) return err_set(err, -devpts, "terminal", "/dev/pts of the container");
  if (fstatfs(devpts, &fs) < 0 || fs.f_type != DEVPTS_MAGIC) return err_set(err, 0, "terminal", "/dev/pts of the container is no devpts");
  int r = kernelfs_terminal(devpts, p->uid, &master, &slave, err);
  if (r < 0) return r;
  console_set_size(slave, p->rows, p->columns);
  r = say(w, OCI_TERMINAL, 0, master, err);
  close(master);
  if (r == 0 && ioctl(slave, TIOCSCTTY, 0) < 0) r = err_set(err, errno, "terminal", "TIOCSCTTY");
  for (int fd = 0; r == 0 && fd < 3; fd++)
    if (dup2(slave, fd) < 0) r = err_set(err, errno, "terminal", "%s", "");
  close(slave);
  return r;
}

static int make_environment(struct work *w, struct err *err) {
  const struct exec_plan *plan = w->child->plan;
  const struct oci_process *p = &plan->process;
  char text[512];
  int r = 0;
  for (size_t i = 0; r == 0 && p->env && p->env[i]; i++) r = environment_add(&w->env, p->env[i]);
  for (size_t i = 0; r == 0 && plan->more_env && plan->more_env[i]; i++) r = environment_add(&w->env, plan->more_env[i]);
  if (r == 0 && !environment_get(&w->env, "HOME")) {
    user_home(w->root, p->uid, text);
    r = environment_set(&w->env, "HOME", text);
  }
  if (r == 0 && plan->listen_fds) {
    /* execve(2) keeps the pid, and it is the container's own number. */
    snprintf(text, sizeof text, "%d", (int)getpid());
    r = environment_set(&w->env, "LISTEN_FDS", plan->listen_fds);
    if (r == 0) r = environment_set(&w->env, "LISTEN_PID", text);
  }
  return r < 0 ? err_set(err, -r, "environment", "%s", "") : 0;
}

/* --- the steps --- */

static int become(struct work *w, struct err *err) {
  const struct exec_plan *plan = w->child->plan;
  const struct oci_process *p = &plan->process;
  w->become = (struct oci_become){.process = p,
                                  .root = w->root,
                                  .filter = plan->filter.code ? &plan->filter : NULL,
                                  .has_personality = plan->spec.has_personality,
                                  .personality = plan->spec.personality,
                                  .keep_groups = plan->keep_groups,
                                  .preserve = plan->preserve,
                                  .listener = -1};
  const struct command_wish wish = {.root = w->root,
                                    .word = p->args[0],
                                    .path = environment_get(&w->env, "PATH"),
                                    .cwd = p->cwd,
                                    .other_formats = w->child->other_formats};
  int r = oci_process_become(&w->become, err);
  if (r == 0) r = command_find(&wish, &w->path, &w->exit_code, err);
  return oci_command_words(r, p->args[0], w->exit_code, err);
}

static int carry_out(struct work *w, struct err *err) {
  const struct oci_process *p = &w->child->plan->process;
  int r = enter(w, err);
  if (r == 0 && p->terminal) r = make_terminal(w, err);
  if (r == 0) r = make_environment(w, err);
  if (r == 0) r = become(w, err);
  if (r == 0) r = oci_process_listen(&w->become, err);
  if (r == 0) r = say_ready(w, err);
  if (r == 0) r = await_go(w, err);
  if (r == 0) r = oci_process_finish(&w->become, err);
  if (r < 0) return r;
  w->exit_code = EXIT_NOT_EXECUTABLE;
  (void)payload_exec(w->child->payload, w->path, (char *const *)p->args, w->env.vars, err);
  return oci_selinux_explain(p, err);
}

void exec_child_main(struct exec_child *child) {
  struct work w = {.child = child, .root = -1};
  struct oci_report report = {.message = OCI_FAILED};
  (void)carry_out(&w, &report.err);
  report.exit_code = w.exit_code == EXIT_NOT_EXECUTABLE || w.exit_code == EXIT_NOT_FOUND ? w.exit_code : EXIT_EXEC;
  (void)oci_report_send(child->sock, &report, -1);
  _exit(report.exit_code);
}
