/*
 * podrt forward: carries a published port into its pod. systemd's socket unit made the listening sockets, in the host's network
 * namespace, where they stay whatever namespace we go to; they outlive us, so that connections wait through our restarts.
 *
 * With --channel it is a Service's balancer that listens (lib/balance.h): what is this pod's comes over standard input (lib/handoff.h), and
 * connections that no server takes go back there. It ends when the balancer has closed that and the last connection has ended.
 *
 * Ends with 0 on SIGTERM, when nobody waits for anything on its connections, after --linger (1) seconds at the latest; and when infra's
 * place is taken by one of another network namespace (the socket starts a new forwarder for that). An infra that was killed is followed by
 * one of the same namespaces (lib/nskeep.h): connections go on.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>

#include "lib/deadline.h"
#include "lib/forward_tcp.h"
#include "lib/forward_udp.h"
#include "lib/handoff.h"
#include "lib/join.h"
#include "lib/listen_fds.h"
#include "lib/notify.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "verbs.h"

enum { INFRA_MS = 10000, LINGER_MAX = 86400 };
/* Connections of a pod that is no Service's any more end by themselves. */
#define LEAVE_MS (24 * 60 * 60 * INT64_C(1000))

struct options {
  const char *run_dir;
  uint16_t port;
  int type; /* SOCK_STREAM or SOCK_DGRAM */
  bool channel;
  uint64_t linger; /* seconds */
};

struct program {
  struct loop loop;
  struct loop_source on_infra, on_state, on_signal, on_channel;
  struct transparent transparent;
  struct drain drain;
  int64_t linger_ms;
  struct forward_tcp *tcp;
  struct forward_udp *udp;
  int signals;
  int dir;   /* infra's run folder */
  int infra; /* pidfd, or -1 while there is none */
  int watch; /* of the folder, while there is none: a user has but 128 of inotify, and there may be more forwarders */
};

static int parse(int argc, char **argv, struct options *o) {
  enum { JOIN = 1, PORT, PROTOCOL, CHANNEL, LINGER };
  static const struct option words[] = {{"join", required_argument, NULL, JOIN},         {"port", required_argument, NULL, PORT},
                                        {"protocol", required_argument, NULL, PROTOCOL}, {"channel", no_argument, NULL, CHANNEL},
                                        {"linger", required_argument, NULL, LINGER},     {0}};
  uint64_t port = 0;
  for (int c; (c = getopt_long(argc, argv, "", words, NULL)) != -1;) switch (c) {
      case JOIN:
        o->run_dir = optarg;
        break;
      case PORT:
        if (number_parse(optarg, false, 1, 65535, &port) < 0) return -EINVAL;
        break;
      case PROTOCOL:
        o->type = !strcmp(optarg, "tcp") ? SOCK_STREAM : !strcmp(optarg, "udp") ? SOCK_DGRAM : 0;
        if (!o->type) return -EINVAL;
        break;
      case CHANNEL:
        o->channel = true;
        break;
      case LINGER:
        if (number_parse(optarg, false, 0, LINGER_MAX, &o->linger) < 0) return -EINVAL;
        break;
      default:
        return -EINVAL;
    }
  o->port = (uint16_t)port;
  return optind == argc && o->run_dir && o->port && o->type ? 0 : -EINVAL;
}

/* How many descriptors there may be, after asking for as many as we are allowed. */
static size_t raise_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return 1024;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > 1 << 20 ? 1 << 20 : (size_t)limit.rlim_cur;
}

static void find_successor(struct program *p) {
  struct err ignored;
  int r = join_successor(p->dir, &ignored);
  if (r == -EAGAIN) return;
  p->infra = r;
  close(steal_fd(&p->watch));
  if (r < 0 || loop_add(&p->loop, r, EPOLLIN, &p->on_infra) < 0) p->loop.quit = true;
}

static void on_infra(struct loop_source *source, uint32_t events) {
  (void)events;
  struct program *p = container_of(source, struct program, on_infra);
  close(steal_fd(&p->infra));
  p->watch = watch_folder(p->dir);
  if (p->watch < 0 || loop_add(&p->loop, p->watch, EPOLLIN, &p->on_state) < 0)
    p->loop.quit = true;
  else
    find_successor(p);
}

/* A hint that infra may have written its state. */
static void on_state(struct loop_source *source, uint32_t events) {
  (void)events;
  struct program *p = container_of(source, struct program, on_state);
  (void)watch_wait(p->watch, 0);
  if (p->infra < 0) find_successor(p);
}

static int watch_infra(struct program *p, struct err *err) {
  p->on_infra.ready = on_infra;
  p->on_state.ready = on_state;
  int r = loop_add(&p->loop, p->infra, EPOLLIN, &p->on_infra);
  return r < 0 ? err_set(err, -r, "watch", "infra") : 0;
}

static void on_signal(struct loop_source *source, uint32_t events) {
  (void)events;
  struct program *p = container_of(source, struct program, on_signal);
  struct signalfd_siginfo info;
  (void)!read(p->signals, &info, sizeof info);
  if (p->tcp)
    forward_tcp_stop(p->tcp, p->linger_ms, true);
  else
    p->loop.quit = true;
}

static int watch_signals(struct program *p, struct err *err) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  p->on_signal.ready = on_signal;
  int r = p->signals < 0 ? -errno : loop_add(&p->loop, p->signals, EPOLLIN, &p->on_signal);
  return r < 0 ? err_set(err, -r, "signalfd", "%s", "") : 0;
}

static bool give_back(void *to, int fd, const struct address *client, int64_t deadline) {
  (void)to;
  const struct handoff message = {.kind = HANDOFF_CONNECTION, .client = *client, .deadline = deadline};
  return handoff_send(STDIN_FILENO, &message, NULL, 0, fd) == 0;
}

static void on_channel(struct loop_source *source, uint32_t events) {
  (void)events;
  struct program *p = container_of(source, struct program, on_channel);
  struct handoff message;
  int fd;
  ssize_t n;
  void *buf = p->udp ? forward_udp_buffer(p->udp) : NULL;
  while ((n = handoff_receive(STDIN_FILENO, &message, buf, buf ? HANDOFF_PAYLOAD : 0, &fd)) >= 0) {
    if (fd >= 0 && p->tcp)
      forward_tcp_take(p->tcp, fd, &message.client, message.deadline);
    else if (fd >= 0)
      close(fd);
    else if (message.kind == HANDOFF_DATAGRAM && p->udp && message.packet.len == (size_t)n)
      forward_udp_take(p->udp, message.listener, &message.packet);
  }
  if (n == -EAGAIN) return;
  loop_remove(&p->loop, STDIN_FILENO);
  if (p->tcp)
    forward_tcp_stop(p->tcp, LEAVE_MS, false);
  else
    p->loop.quit = true;
}

static int open_channel(struct program *p, struct err *err) {
  p->on_channel.ready = on_channel;
  if (p->tcp) forward_tcp_give_back(p->tcp, give_back, NULL);
  int r = loop_add(&p->loop, STDIN_FILENO, EPOLLIN, &p->on_channel);
  if (r == 0) r = handoff_send(STDIN_FILENO, &(struct handoff){.kind = HANDOFF_HELLO}, NULL, 0, -1);
  return r < 0 ? err_set(err, -r, "channel", "%s", "") : 0;
}

static int start(struct program *p, const struct options *o, int sockets, struct err *err) {
  /* A connection needs two, and a pipe in each direction only while it is blocked. */
  size_t max = raise_limit() / 4;
  int r = o->type == SOCK_STREAM ? forward_tcp_new(&p->loop, &p->transparent, o->port, sockets, max, &p->tcp)
                                 : forward_udp_new(&p->loop, &p->transparent, o->port, sockets, !o->channel, max, &p->udp);
  return r < 0 ? err_set(err, -r, "listen", "port %d", (int)o->port) : 0;
}

static int run(const struct options *o, struct err *err) {
  struct program p = {.loop.epoll = -1, .signals = -1, .watch = -1, .transparent.netlink.fd = -1};
  struct err why;
  p.linger_ms = (int64_t)o->linger * 1000;
  int r, sockets = o->channel && o->type == SOCK_STREAM ? 0 : listen_fds(o->type, err);
  if (sockets < 0) return sockets;
  cleanup_fd int dir = join_folder(o->run_dir, err);
  if (dir < 0) return dir;
  p.dir = dir;
  if ((r = drain_open(&p.drain, dir)) < 0) {
    err_set(&why, -r, "connections", "%s: nobody is told of them", o->run_dir);
    err_print(&why, "forward");
  }
  p.infra = join_infra(o->run_dir, clock_ms() + INFRA_MS, err);
  if (p.infra < 0) return drain_close(&p.drain), p.infra;

  r = loop_init(&p.loop);
  if (r < 0) return err_set(err, -r, "epoll", "%s", "");
  transparent_init(&p.transparent, o->type, o->port, &why);
  if (!p.transparent.v4)
    fprintf(stderr,
            "podrt: forward: the pod sees its own address instead of the clients', and is not reached where it has none: %s: %s: %s\n",
            why.step, why.what, strerror(why.code));
  r = watch_signals(&p, err);
  if (r == 0) r = watch_infra(&p, err);
  if (r == 0) r = start(&p, o, sockets, err);
  if (r == 0 && p.tcp) forward_tcp_drain(p.tcp, &p.drain);
  if (r == 0 && o->channel) r = open_channel(&p, err);
  if (r == 0) {
    (void)notify_send("READY=1");
    if ((r = loop_run(&p.loop)) < 0) err_set(err, -r, "epoll", "%s", "");
  }
  if (p.tcp) forward_tcp_free(p.tcp);
  drain_close(&p.drain);
  if (p.udp) forward_udp_free(p.udp);
  loop_end(&p.loop);
  transparent_end(&p.transparent);
  for (size_t i = 0; i < 3; i++) {
    const int fd = (const int[]){p.signals, p.watch, p.infra}[i];
    if (fd >= 0) close(fd);
  }
  return r;
}

int verb_forward(int argc, char **argv) {
  struct options o = {.linger = 1};
  struct err err = {0};
  if (parse(argc, argv, &o) < 0) {
    fputs("usage: podrt forward [--channel] [--linger SECONDS] --join RUNDIR --port N --protocol tcp|udp\n", stderr);
    return 64;
  }
  if (run(&o, &err) < 0) {
    err_print(&err, "forward");
    return 125;
  }
  return 0;
}
