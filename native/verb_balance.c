/*
 * podrt balance: what comes to a port of a Service, spread over its pods (lib/balance.h). systemd's socket unit listens, and goes on when
 * we end. Ends with 0 on SIGTERM; its unit's control group takes the pods' forwarders along.
 */
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include "lib/balance.h"
#include "lib/listen_fds.h"
#include "lib/notify.h"
#include "verbs.h"

enum { RANGES_MAX = 256 };

struct program {
  struct loop loop;
  struct loop_source on_signal;
  int signals;
  struct balance *balance;
};

static int parse(int argc, char **argv, struct balance_options *o, struct cidr *ranges) {
  enum { BACKENDS = 1, PROTOCOL, AFFINITY, NOT_READY, FALLBACK, ALLOW };
  static const struct option words[] = {{"backends", required_argument, NULL, BACKENDS},
                                        {"protocol", required_argument, NULL, PROTOCOL},
                                        {"affinity", no_argument, NULL, AFFINITY},
                                        {"not-ready", no_argument, NULL, NOT_READY},
                                        {"fallback", no_argument, NULL, FALLBACK},
                                        {"allow", required_argument, NULL, ALLOW},
                                        {0}};
  o->allowed = ranges;
  for (int c; (c = getopt_long(argc, argv, "", words, NULL)) != -1;) switch (c) {
      case BACKENDS:
        o->backends = optarg;
        break;
      case PROTOCOL:
        o->type = !strcmp(optarg, "tcp") ? SOCK_STREAM : !strcmp(optarg, "udp") ? SOCK_DGRAM : 0;
        break;
      case AFFINITY:
        o->affinity = true;
        break;
      case NOT_READY:
        o->not_ready = true;
        break;
      case FALLBACK:
        o->fallback = true;
        break;
      case ALLOW:
        if (o->n_allowed == RANGES_MAX || !cidr_parse(optarg, &ranges[o->n_allowed++])) return -EINVAL;
        break;
      default:
        return -EINVAL;
    }
  return optind == argc && o->backends && o->backends[0] == '/' && o->type ? 0 : -EINVAL;
}

static void on_signal(struct loop_source *source, uint32_t events) {
  (void)events;
  struct program *p = container_of(source, struct program, on_signal);
  struct signalfd_siginfo info;
  while (read(p->signals, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGCHLD)
      balance_reap(p->balance);
    else
      p->loop.quit = true;
  }
}

static int watch_signals(struct program *p, struct err *err) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  p->on_signal.ready = on_signal;
  int r = p->signals < 0 ? -errno : loop_add(&p->loop, p->signals, EPOLLIN, &p->on_signal);
  return r < 0 ? err_set(err, -r, "signalfd", "%s", "") : 0;
}

static int run(const struct balance_options *o, struct err *err) {
  struct program p = {.loop.epoll = -1, .signals = -1};
  int sockets = listen_fds(o->type, err);
  if (sockets < 0) return sockets;
  int r = loop_init(&p.loop);
  if (r < 0) return err_set(err, -r, "epoll", "%s", "");
  r = balance_new(&p.loop, o, sockets, &p.balance, err);
  if (r == 0) r = watch_signals(&p, err);
  if (r == 0) {
    (void)notify_send("READY=1");
    if ((r = loop_run(&p.loop)) < 0) err_set(err, -r, "epoll", "%s", "");
  }
  if (p.balance) balance_free(p.balance);
  loop_end(&p.loop);
  if (p.signals >= 0) close(p.signals);
  return r;
}

int verb_balance(int argc, char **argv) {
  struct balance_options o = {0};
  static struct cidr ranges[RANGES_MAX];
  struct err err = {0};
  if (parse(argc, argv, &o, ranges) < 0) {
    fputs("usage: podrt balance --backends FILE --protocol tcp|udp [--affinity] [--not-ready | --fallback] [--allow RANGE]…\n", stderr);
    return 64;
  }
  if (run(&o, &err) < 0) {
    err_print(&err, "balance");
    return 125;
  }
  return 0;
}
