/* Infra's life after its start: see podloop.h. */
#include "podloop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "collect.h"
#include "deadline.h"
#include "handover.h"
#include "journal.h"
#include "notify.h"
#include "nskeep.h"
#include "proc.h"
#include "relay.h"

/* Lines that an earlier infra could not send in time. */
#define UNSENT "unsent"

/* Handovers under way: run sends at once after it connected, so that few are ever open. */
enum { CONNECTIONS = 8 };

struct loop {
  int dir, signals, listener;
  const char *digest;
  int connection[CONNECTIONS]; /* -1: free */
  struct collector *collector;
  pid_t init;  /* of the pod's PID namespace, our child; 0: it shares none */
  bool unsent; /* there is a file of that name */
  bool stop;
  bool lost; /* init has ended, and with it all containers of the pod */
};

/* Our pid as those see it who mounted /proc, which is not what getpid() says inside a PID namespace. */
static int own_id(struct proc_id *ret) {
  char text[16];
  ssize_t n = readlink("/proc/self", text, sizeof text - 1);
  if (n < 0) return -errno;
  text[n] = 0;
  ret->pid = (pid_t)strtol(text, NULL, 10);
  return proc_start_time(ret->pid, &ret->start);
}

static int write_state(int dir, const char *digest, struct err *err) {
  struct run_state state = {.started_at = (int64_t)time(NULL)};
  int r = own_id(&state.id);
  if (r < 0) return err_set(err, -r, "start time", "%s", "");
  if (strlen(digest) >= sizeof state.digest) return err_set(err, EINVAL, "digest", "%s", digest);
  strcpy(state.digest, digest);
  return run_state_write(dir, &state, err);
}

static void try_resend(struct loop *l) {
  cleanup_fd int fd = openat(l->dir, UNSENT, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && collector_resend(l->collector, fd) == -EAGAIN) return;
  if (fd >= 0) (void)unlinkat(l->dir, UNSENT, 0);
  l->unsent = false;
}

static void on_signals(struct loop *l) {
  struct signalfd_siginfo info;
  while (read(l->signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD) {
      for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) l->lost |= pid == l->init;
    }
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) l->stop = true;
  }
}

static void on_connections(struct loop *l) {
  for (int i = 0; i < CONNECTIONS; i++) {
    if (l->connection[i] < 0) l->connection[i] = handover_accept(l->listener);
    if (l->connection[i] < 0 || handover_receive(l->connection[i], l->collector) == -EAGAIN) continue;
    close(l->connection[i]);
    l->connection[i] = -1;
  }
}

/* Waits until there is something to do. */
static void wait_for_work(const struct loop *l) {
  bool full = true;
  for (int i = 0; i < CONNECTIONS; i++) full = full && l->connection[i] >= 0;
  struct pollfd p[3 + CONNECTIONS] = {{.fd = l->signals, .events = POLLIN}, {.fd = full ? -1 : l->listener, .events = POLLIN}};
  int timeout = -1, fd, ms;
  p[2] = (struct pollfd){.fd = collector_fd(l->collector), .events = POLLIN};
  if (collector_blocked(l->collector, &fd, &ms)) {
    p[2] = (struct pollfd){.fd = fd, .events = POLLOUT};
    if (fd < 0) timeout = ms;
  }
  for (int i = 0; i < CONNECTIONS; i++) p[3 + i] = (struct pollfd){.fd = l->connection[i], .events = POLLIN};
  (void)poll(p, N_ELEMENTS(p), timeout);
}

static int run(struct loop *l, struct err *err) {
  while (!l->stop && !l->lost) {
    if (l->unsent) try_resend(l); /* before newer lines */
    if (!l->unsent) {
      int r = collector_run(l->collector);
      if (r < 0) return err_set(err, -r, "relay", "%s", "");
    }
    wait_for_work(l);
    on_signals(l);
    on_connections(l);
  }
  return 0;
}

static int finish(struct loop *l, struct err *err) {
  (void)notify_send("STOPPING=1");
  (void)unlinkat(l->dir, RELAY_SOCKET, 0);
  on_connections(l); /* those that were accepted by the kernel before */
  cleanup_fd int spill = openat(l->dir, UNSENT, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (spill < 0) return err_set(err, errno, "open", UNSENT);
  if (collector_drain(l->collector, clock_ms() + PODLOOP_DRAIN_MS, spill) == 0 && !l->unsent) (void)unlinkat(l->dir, UNSENT, 0);
  /* Containers that live on (somebody restarts infra alone) need the namespaces; else the next infra begins anew. */
  if (collector_streams(l->collector) == 0 && !l->lost) nskeep_forget(l->digest);
  return 0;
}

int podloop_run(int dir, const char *digest, pid_t init, struct kept *kept, struct err *err) {
  struct loop l = {.dir = dir, .digest = digest, .init = init, .unsent = faccessat(dir, UNSENT, F_OK, AT_SYMLINK_NOFOLLOW) == 0};
  for (int i = 0; i < CONNECTIONS; i++) l.connection[i] = -1;
  sigset_t all;
  sigfillset(&all);
  cleanup_fd int signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) return err_set(err, errno, "signalfd", "%s", "");
  l.signals = signals;
  cleanup_fd int listener = handover_listen(dir, err);
  if (listener < 0) return listener;
  l.listener = listener;
  int r = collector_new(JOURNAL_SOCKET, &l.collector);
  if (r < 0) return err_set(err, -r, "relay", "%s", "");
  r = collector_keep(l.collector, kept);
  if (r < 0) err_set(err, -r, "relay", "take back");
  if (r == 0) r = nskeep_store(digest, kept, err);
  if (r == 0) r = write_state(dir, digest, err);
  if (r == 0 && (r = notify_send("READY=1")) < 0) err_set(err, -r, "notify", "READY=1");
  if (r == 0) r = run(&l, err);
  if (r == 0) r = finish(&l, err);
  for (int i = 0; i < CONNECTIONS; i++)
    if (l.connection[i] >= 0) close(l.connection[i]);
  collector_free(l.collector);
  return r;
}
