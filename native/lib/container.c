/* The parent's side of a container's start: see container.h. */
#include "container.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "backoff.h"
#include "child.h"
#include "clone3.h"
#include "command.h"
#include "complain.h"
#include "connecting.h"
#include "drain.h"
#include "joinpod.h"
#include "lastwords.h"
#include "notify.h"
#include "podinit.h"
#include "proberecord.h"
#include "relay.h"
#include "rootfs.h"
#include "service.h"
#include "signals.h"
#include "started.h"
#include "stdinpipe.h"

enum { SETUP_MS = 90 * 1000, COPY_MS = 900 * 1000 };

struct start {
  const struct bundle *b;
  bool ours;  /* the child is */
  bool given; /* infra has the pipes */
  int run, infra_dir, infra;
  pid_t infra_pid;
  struct service service;
  int out[2], error[2]; /* pipes; -1 with a terminal */
  int in, in_hold;      /* standard input that somebody may attach to, and the end of it that infra holds; -1: none */
  struct address_pair addresses;
  struct container *c;
};

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* --- before the fork --- */

/*
 * Done while our /proc files are still ours: not dumpable, they belong to the host's root.
 * Nobody in the container may look into us, who share a user namespace with it: payload.h.
 */
static int protect(const struct bundle *b, struct err *err) {
  if (b->has_oom) {
    char text[16];
    cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    int len = snprintf(text, sizeof text, "%d", b->oom_score_adj);
    int r = fd < 0 ? -errno : write_all(fd, text, (size_t)len);
    if (r < 0) return err_set(err, -r, "oomScoreAdj", "%d", b->oom_score_adj);
  }
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? err_set(err, errno, "prctl", "%s", "") : 0;
}

static int make_pipes(struct start *s, struct err *err) {
  if (s->b->input != STDIN_NONE && (s->in = stdinpipe_make(s->c->dir, s->b->input, &s->in_hold, err)) < 0) return s->in;
  if (s->b->terminal || s->b->no_log) return 0;
  if (pipe2(s->out, O_CLOEXEC) < 0 || pipe2(s->error, O_CLOEXEC) < 0) return err_set(err, errno, "pipe", "%s", "");
  return 0;
}

static int enter_pod(struct start *s, struct err *err) {
  s->infra = joinpod_open(s->run, s->b->join, &s->infra_dir, &s->infra_pid, err);
  if (s->infra < 0) return s->infra;
  int r = make_pipes(s, err);
  return r < 0 ? r : joinpod_enter(s->infra, s->infra_pid, &s->b->ids, err);
}

/* --- the fork --- */

/*
 * CLONE_PARENT: systemd takes a process for a unit's main one only if it is its own child, and then has its true exit status
 * and waits for it at stop (DESIGN.md). The namespaces are owned by the pod's user namespace, which we have joined.
 */
static int spawn(struct start *s, enum rootfs_driver driver, int *ret_sock, struct err *err) {
  int ends[2], pidfd = -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return err_set(err, errno, "socketpair", "%s", "");
  const struct clone3_args args = {
      .flags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_PIDFD | (s->b->own_pid ? CLONE_NEWPID : 0) | (s->ours ? 0 : CLONE_PARENT),
      .pidfd = (uint64_t)(uintptr_t)&pidfd,
      .exit_signal = s->ours ? SIGCHLD : 0,
  };
  pid_t pid = clone3_now(&args);
  if (pid == 0) {
    close(ends[0]);
    close_fd(&s->out[0]);
    close_fd(&s->error[0]);
    struct child child = {.bundle = s->b,
                          .service = &s->service,
                          .infra = s->infra,
                          .driver = driver,
                          .sock = ends[1],
                          .in = s->in,
                          .out = s->out[1],
                          .err_fd = s->error[1]};
    child_main(&child);
  }
  int code = errno;
  close(ends[1]);
  if (pid < 0) {
    close(ends[0]);
    return err_set(err, code, "clone", "%s", "");
  }
  s->c->pid = pid;
  s->c->pidfd = pidfd;
  *ret_sock = ends[0];
  return 0;
}

static void kill_child(struct container *c) {
  if (c->pidfd < 0) return;
  (void)syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
  close_fd(&c->pidfd);
}

/* --- hand-over --- */

/* "restarted, its liveness probe failed: …" where a probe has ended the container that was here before. */
static char *why_again(int dir) {
  struct err ignored;
  struct run_state before;
  if (run_state_read(dir, &before, &ignored) < 0) return NULL;
  cleanup_free char *why = probe_killed_read(dir, &before.id);
  return why ? xformat("restarted, its %s", why) : NULL;
}

static int give_streams(struct start *s, int master, struct err *err) {
  const struct bundle *b = s->b;
  struct err ignored;
  /* An infra of an earlier podgen does not know how; then there are no last lines, and nothing else is missing. */
  if (b->message_logs) (void)relay_tail_begin(s->infra_dir, b->unit, &ignored);
  return relay_hand_over(s->infra_dir, s->out[0], s->error[0], master, b->unit, b->identifier, b->log_fields, err);
}

static void block_stop_signals(void) {
  sigset_t set;
  signals_stop(&set);
  (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

/*
 * The order: infra has the streams before anything can be written. state.json says who runs before anybody is told that it does.
 * READY comes with MAINPID in one message, so that systemd never sees a started unit with our pid as the main one; the barrier makes
 * sure that it has read it before our end could look like the service's. The mark `ready` comes before the payload runs,
 * for a pod that waits for it; and only then the payload, so that what it does cannot precede any of this. Should we be
 * killed in between, the child sees the socket end and goes. A child of ours has no unit of its own: from the release on, who waits for
 * it passes on what we are sent.
 */
static int hand_over(struct start *s, int sock, struct err *err) {
  struct container *c = s->c;
  struct proc_id id = {.pid = c->pid};
  int r = proc_start_time(c->pid, &id.start);
  if (r < 0) return err_set(err, -r, "start time", "pid %d", (int)c->pid);
  cleanup_free char *why = why_again(c->dir);
  drain_end(s->run, s->b->run_dir); /* of a stop whose unit's last words were lost */
  if (s->b->gated) (void)unlinkat(c->dir, "ready", 0);
  if (s->b->gated) (void)unlinkat(c->dir, "started", 0);
  r = started_write(c->dir, &id, s->b, err);
  if (r < 0) return r;
  if (!s->ours) {
    cleanup_free char *text =
        xformat("MAINPID=%d%s%s%s", (int)c->pid, s->b->notify ? "" : "\nREADY=1", why ? "\nSTATUS=" : "", why ? why : "");
    r = text ? notify_send(text) : -ENOMEM;
    if (r == 0) r = notify_barrier();
    if (r < 0) return err_set(err, -r, "notify", "%s", "the unit's manager");
    /* One that says itself when it is ready, or has something to be done first, is marked then, by the unit's ExecStartPost=. */
    if (!s->b->gated && !s->b->notify && !s->b->post_start.kind) r = started_mark(c->dir, err);
    if (r < 0) return r;
  } else {
    block_stop_signals();
  }
  if (s->b->addresses) addresses_find(&s->addresses.pod);
  r = child_release(sock, &s->addresses);
  return r < 0 ? err_set(err, -r, "release", "%s", "the container's process is gone") : 0;
}

/* As the pod goes on without an uplink where there is none, so does a container where it is late. */
static void await_uplink(const struct start *s) {
  struct err late;
  if (connecting_wait(s->infra_dir) == 0) return;
  err_set(&late, ETIMEDOUT, "uplink", "%s", "not connected yet");
  complain_warning(&late, s->ours ? "oneshot" : "run", s->b->unit, s->b->identifier, "starting all the same");
}

/* One attempt with one driver. *ret_unsupported: the next one may work. */
static int attempt(struct start *s, enum rootfs_driver driver, bool *ret_unsupported, int *ret_exit, struct err *err) {
  cleanup_fd int sock = -1;
  cleanup_fd int master = -1;
  struct child_report report;
  int r = spawn(s, driver, &sock, err);
  if (r < 0) return r;
  /* Meanwhile the child makes its file systems. A terminal comes out of them; the pipes can go to infra now, and once for all attempts. */
  if (!s->b->terminal && !s->b->no_log && !s->given) r = give_streams(s, -1, err);
  if (r < 0) {
    kill_child(s->c);
    return r;
  }
  s->given = true;
  r = child_receive(sock, driver == ROOTFS_VFS ? COPY_MS : SETUP_MS, &report, &master);
  if (r == -ETIMEDOUT)
    err_set(err, ETIMEDOUT, "setup", "the container's file systems");
  else if (r < 0)
    err_set(err, 0, "setup", "the container's process ended before it was ready");
  if (r == 0 && report.exit_code) {
    *err = report.err;
    *ret_exit = report.exit_code;
    *ret_unsupported = report.unsupported;
    r = report.err.code ? -report.err.code : -EINVAL;
  }
  if (r == 0 && s->b->terminal) r = give_streams(s, master, err);
  if (r == 0) await_uplink(s);
  if (r == 0) r = hand_over(s, sock, err);
  if (r < 0) kill_child(s->c);
  return r;
}

/* fuse-overlayfs needs a mount namespace in which its mount is there before the container's is cloned from it; ours from now on. */
static int start_fuse(struct start *s, struct err *err) {
  if (unshare(CLONE_NEWNS) < 0) return err_set(err, errno, "unshare", "mount namespace");
  return rootfs_fuse(&s->b->rootfs, err);
}

static int attempts(struct start *s, int *ret_exit, struct err *err) {
  const enum rootfs_driver wanted = s->b->has_layers ? s->b->rootfs.driver : ROOTFS_OVERLAY;
  static const enum rootfs_driver automatic[] = {ROOTFS_OVERLAY, ROOTFS_FUSE, ROOTFS_VFS};
  const enum rootfs_driver *drivers = wanted == ROOTFS_AUTO ? automatic : &wanted;
  const size_t n = wanted == ROOTFS_AUTO ? N_ELEMENTS(automatic) : 1;
  int r = 0;
  for (size_t i = 0; i < n; i++) {
    bool unsupported = false;
    r = 0;
    if (drivers[i] == ROOTFS_FUSE) {
      r = start_fuse(s, err);
      unsupported = r < 0;
    }
    /* After fuse-overlayfs was forked, which must stay out of the pod's PID namespace. */
    if (r == 0 && !s->b->own_pid && !s->b->host_pid) r = podinit_enter(s->infra_dir, err);
    if (r == 0) r = attempt(s, drivers[i], &unsupported, ret_exit, err);
    if (r == 0 || !unsupported || i + 1 == n) return r;
    complain_warning(err, s->ours ? "oneshot" : "run", s->b->unit, s->b->identifier, "trying the next driver");
    *ret_exit = EXIT_PODRT;
  }
  return r;
}

int container_start(const struct bundle *b, bool ours, struct container *ret, int *ret_exit, struct err *err) {
  struct container c = {.pidfd = -1, .folder = -1, .dir = -1};
  struct start s = {
      .b = b, .ours = ours, .run = -1, .infra_dir = -1, .infra = -1, .out = {-1, -1}, .error = {-1, -1}, .in = -1, .in_hold = -1, .c = &c};
  *ret_exit = EXIT_PODRT;
  umask(022);
  int r = s.run = run_open(err);
  if (r >= 0) r = c.dir = run_open_at(s.run, b->run_dir, true, err);
  if (r >= 0) r = protect(b, err);
  if (r == 0) r = service_take(b, &s.service, err);
  c.early = r < 0;
  if (r == 0) (void)unlinkat(c.dir, STARTED_DONE, 0);
  if (r == 0 && b->backoff) backoff_wait(c.dir, b->unit, b->identifier, ours ? "oneshot" : "run");
  if (r == 0 && b->addresses) addresses_find(&s.addresses.host);
  if (r == 0) r = enter_pod(&s, err);
  if (r == 0 && s.in_hold >= 0) r = relay_stdin_hold(s.infra_dir, b->unit, s.in_hold, err);
  if (r == 0 && b->has_layers) {
    c.folder = rootfs_prepare(&b->rootfs, err);
    r = c.folder < 0 ? c.folder : lastwords_make(c.folder, err);
  }
  if (r == 0) r = attempts(&s, ret_exit, err);
  int *const all[] = {&s.run, &s.infra_dir, &s.infra, &s.out[0], &s.out[1], &s.error[0], &s.error[1], &s.in, &s.in_hold};
  for (size_t i = 0; i < N_ELEMENTS(all); i++) close_fd(all[i]);
  *ret = c;
  if (r < 0) container_done(ret);
  return r;
}

void container_done(struct container *c) {
  /* What the last start left, which may be much to remove: nobody waits for it. */
  if (c->folder >= 0) rootfs_clean(c->folder);
  close_fd(&c->folder);
  close_fd(&c->dir);
  close_fd(&c->pidfd);
}
