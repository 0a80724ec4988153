/*
 * podrt uplink --join RUNDIR: gives a pod's network namespace its way out, by pasta.
 *
 * pasta knows nothing of sd_notify, but it forks into the background when the namespace is configured. So it is started,
 * waited for, made the unit's main process (it is systemd's child by then) and left alone: nothing of ours stays, systemd
 * supervises pasta itself. The pod must never fail for want of an uplink: without pasta we say so and are done; without a
 * default route (a boot where the network comes late) or after a failure of pasta's we say so and go on trying.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/complain.h"
#include "lib/connecting.h"
#include "lib/deadline.h"
#include "lib/machine.h"
#include "lib/notify.h"
#include "lib/podfiles.h"
#include "lib/proc.h"
#include "lib/route.h"
#include "verbs.h"

#define PID_FILE "pasta.pid"

/* Nothing to do on this machine: the unit has SuccessExitStatus= and RestartPreventExitStatus= of it (pasta itself exits with 0 on
 * SIGTERM). */
enum { EXIT_NO_PASTA = 77 };
enum { PASTA_MS = 20 * 1000, RETRY_FIRST_MS = 1000, RETRY_LAST_MS = 60 * 1000 };

struct uplink {
  char pasta[PATH_MAX], pid_path[PATH_MAX];
  int dir;   /* infra's run folder */
  int infra; /* pidfd */
  pid_t infra_pid;
  bool announced;
};

/* Once READY, because the pod's start must not wait for a network; the words go to the journal and to `systemctl status`. */
static void announce(struct uplink *u, const char *why) {
  char text[512];
  snprintf(text, sizeof text, "%sSTATUS=No uplink: %s", u->announced ? "" : "READY=1\n", why);
  (void)notify_send(text);
  snprintf(text, sizeof text, "podrt: uplink: no uplink: %s", why);
  complain_line(4, text);
  u->announced = true;
  connecting_end(u->dir);
}

static int open_infra(const char *run_dir, struct uplink *u, struct err *err) {
  cleanup_fd int run = run_open(err);
  if (run < 0) return run;
  u->dir = run_open_at(run, run_dir, false, err);
  if (u->dir < 0) return u->dir;
  struct run_state state;
  int r = run_state_read(u->dir, &state, err);
  if (r < 0) return r;
  u->infra = proc_open(&state.id);
  if (u->infra < 0) return err_set(err, -u->infra, "infra", "pid %d", (int)state.id.pid);
  u->infra_pid = state.id.pid;
  int len = snprintf(u->pid_path, sizeof u->pid_path, "%s/podgen/%s/" PID_FILE, getenv("XDG_RUNTIME_DIR"), run_dir);
  return len < (int)sizeof u->pid_path ? 0 : err_set(err, ENAMETOOLONG, "infra", "%s", run_dir);
}

/*
 * Options that pasta has had since early 2023 and still has. No ports of either side are bound by pasta: the pod's are
 * published by socket units, and the host's loopback is not the pod's to see (--no-map-gw, -T, -U).
 */
static void exec_pasta(const struct uplink *u) {
  char pid[16];
  snprintf(pid, sizeof pid, "%d", (int)u->infra_pid);
  /* systemd ignores it for its services, and pasta 2023 takes signal()'s answer "it was ignored" for a failure. */
  (void)signal(SIGPIPE, SIG_DFL);
  /* The namespace outlives the infra whose pid names it (keep.h); a pasta of 2024 goes when that pid is gone. */
  execl(u->pasta, "pasta", "--no-netns-quit", "--config-net", "--dns-forward", PODFILES_DNS, "--no-map-gw", "-t", "none", "-u", "none",
        "-T", "none", "-U", "none", "--quiet", "--pid", u->pid_path, pid, (char *)NULL);
  fprintf(stderr, "podrt: uplink: exec: %s: %s\n", u->pasta, strerror(errno));
  _exit(127);
}

/* Waits for a child's end, at most until then; kills it after. True when it exited with 0. */
static bool child_succeeds(pid_t pid, int64_t deadline) {
  int status;
  cleanup_fd int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd p = {.fd = fd, .events = POLLIN};
  int r;
  do {
    r = poll(&p, 1, deadline_left(deadline));
  } while (r < 0 && errno == EINTR);
  if (r <= 0) (void)kill(pid, SIGKILL);
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Starts pasta; 0 and its pid when the namespace is configured. */
static int start_pasta(const struct uplink *u, pid_t *ret) {
  if (unlinkat(u->dir, PID_FILE, 0) < 0 && errno != ENOENT) return -errno;
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) exec_pasta(u);
  if (!child_succeeds(child, clock_ms() + PASTA_MS)) return -EIO;
  cleanup_free char *text = NULL;
  int r = read_file_at(u->dir, PID_FILE, 32, &text, NULL);
  if (r < 0) return r;
  int pid = atoi(text);
  uint64_t start;
  r = proc_start_time(pid, &start);
  if (r < 0) return r;
  *ret = pid;
  return 0;
}

/* From here on the unit's main process is pasta. */
static int give_to_systemd(pid_t pid, struct err *err) {
  char text[64];
  snprintf(text, sizeof text, "MAINPID=%d\nREADY=1\nSTATUS=Connected by pasta", (int)pid);
  int r = notify_send(text);
  if (r == 0) r = notify_barrier();
  return r < 0 ? err_set(err, -r, "notify", "MAINPID=%d", (int)pid) : 0;
}

/* Until a route changes, infra is gone (false), or the time is over; `ms` may be -1. */
static bool wait_for_change(const struct uplink *u, int watch, int ms) {
  struct pollfd p[] = {{.fd = watch, .events = POLLIN}, {.fd = u->infra, .events = POLLIN}};
  (void)poll(p, N_ELEMENTS(p), ms);
  route_drain(watch);
  return !p[1].revents;
}

static int connect_pod(struct uplink *u, struct err *err) {
  /* Before the first look, so that no change is missed. */
  cleanup_fd int watch = route_watch();
  if (watch < 0) return err_set(err, -watch, "netlink", "%s", "");
  bool said = false;
  int retry = RETRY_FIRST_MS;
  for (;;) {
    pid_t pasta = 0;
    if (!route_present()) {
      if (!said) announce(u, "the host has no default route yet");
      said = true;
      retry = RETRY_FIRST_MS;
      if (!wait_for_change(u, watch, -1)) break;
      continue;
    }
    int r = start_pasta(u, &pasta);
    if (r == 0) {
      connecting_end(u->dir);
      return give_to_systemd(pasta, err);
    }
    if (retry == RETRY_FIRST_MS) announce(u, "pasta failed (its words stand above), trying again");
    if (!wait_for_change(u, watch, retry)) break;
    retry = retry * 2 < RETRY_LAST_MS ? retry * 2 : RETRY_LAST_MS;
  }
  return err_set(err, ESRCH, "infra", "pid %d", (int)u->infra_pid);
}

int verb_uplink(int argc, char **argv) {
  if (argc != 3 || strcmp(argv[1], "--join")) {
    fputs("usage: podrt uplink --join RUNDIR\n", stderr);
    return 64;
  }
  struct uplink u = {.dir = -1, .infra = -1};
  struct err err;
  int r = open_infra(argv[2], &u, &err), code = 0;
  if (r == 0 && !machine_find("pasta", u.pasta, sizeof u.pasta)) {
    announce(&u, "pasta is not installed (package passt); the pod's containers reach only each other");
    code = EXIT_NO_PASTA;
  } else if (r == 0) {
    r = connect_pod(&u, &err);
  }
  if (r < 0) {
    complain(&err, "uplink", NULL, NULL);
    code = 125;
  }
  if (u.dir >= 0) {
    /* Whatever it was, containers need not wait for it. */
    connecting_end(u.dir);
    close(u.dir);
  }
  if (u.infra >= 0) close(u.infra);
  return code;
}
