/*
 * Carries UDP datagrams into a pod: see forward_udp.h.
 *
 * Whether somebody listens is known only by the refusal that a datagram draws, which over loopback is there when send(2) returns. A
 * flow that has not had a reply yet therefore goes through the targets with each datagram; a reply fixes the target.
 * Flows stand in a hash table and in a list, the one used last in front.
 */
#include "forward_udp.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/mman.h>

#include "deadline.h"
#include "listen_fds.h"
#include "targets.h"
#include "udp_packet.h"

enum { BUCKETS = 256, PACKETS_PER_TURN = 32, BUFFER = 65536, LOOK_MS = 1000 };

struct flow {
  struct loop_garbage garbage;
  struct flow *chain;         /* in its bucket */
  struct flow *newer, *older; /* in the list of all */
  struct forward_udp *forward;
  struct loop_source source;
  struct udp_packet packet; /* client and the address it used */
  int listener;
  int fd;          /* in the pod, or -1 */
  unsigned target; /* where it leads to */
  bool confirmed;  /* a reply came */
  bool routed;     /* transparent_add_client was done */
  int64_t used;
};

struct listener {
  struct loop_source source;
  struct forward_udp *forward;
  int fd;
};

struct forward_udp {
  struct loop *loop;
  struct transparent *transparent;
  uint16_t port;
  size_t n, max;
  struct flow *newest, *oldest;
  struct flow *bucket[BUCKETS];
  struct loop_timer look;
  char *buf; /* BUFFER bytes, given back to the kernel when there are no flows */
  int n_listeners;
  struct listener listener[];
};

/* --- the table of flows -------------------------------------------------------------------------------------------- */

static struct flow **bucket_of(struct forward_udp *f, const struct address *client) {
  return &f->bucket[address_hash(client) % BUCKETS];
}

static struct flow *find(struct forward_udp *f, int listener, const struct udp_packet *p) {
  for (struct flow *w = *bucket_of(f, &p->client); w; w = w->chain)
    if (w->listener == listener && address_equal(&w->packet.client, &p->client) && address_same_host(&w->packet.local, &p->local)) return w;
  return NULL;
}

static void unlist(struct flow *w) {
  struct forward_udp *f = w->forward;
  *(w->newer ? &w->newer->older : &f->newest) = w->older;
  *(w->older ? &w->older->newer : &f->oldest) = w->newer;
}

static void enlist(struct flow *w, int64_t now) {
  struct forward_udp *f = w->forward;
  w->used = now;
  w->newer = NULL;
  w->older = f->newest;
  *(f->newest ? &f->newest->newer : &f->oldest) = w;
  f->newest = w;
}

static void touch(struct flow *w) {
  unlist(w);
  enlist(w, clock_ms());
}

/* The route goes with the client's last flow. */
static void unroute(struct flow *w) {
  struct forward_udp *f = w->forward;
  if (!w->routed) return;
  for (struct flow *other = f->newest; other; other = other->older)
    if (other != w && other->routed && address_same_host(&other->packet.client, &w->packet.client)) return;
  (void)transparent_remove_client(f->transparent, &w->packet.client);
}

static void close_socket(struct flow *w) {
  if (w->fd >= 0) close(w->fd);
  w->fd = -1;
  w->confirmed = false;
}

static void drop(struct flow *w) {
  struct forward_udp *f = w->forward;
  struct flow **at = bucket_of(f, &w->packet.client);
  while (*at != w) at = &(*at)->chain;
  *at = w->chain;
  close_socket(w);
  unlist(w);
  unroute(w);
  f->n--;
  loop_discard(f->loop, &w->garbage);
}

static void on_look(struct loop_timer *timer) {
  struct forward_udp *f = container_of(timer, struct forward_udp, look);
  int64_t now = clock_ms();
  const bool any = f->n > 0;
  while (f->oldest && now - f->oldest->used >= FORWARD_UDP_IDLE_MS) drop(f->oldest);
  if (any) {
    f->look.at = now + LOOK_MS;
    return;
  }
  (void)madvise(f->buf, BUFFER, MADV_DONTNEED);
  (void)malloc_trim(0);
}

/* --- from the pod to the client ------------------------------------------------------------------------------------ */

static void on_reply(struct loop_source *source, uint32_t events) {
  (void)events;
  struct flow *w = container_of(source, struct flow, source);
  struct forward_udp *f = w->forward;
  for (int i = 0; i < PACKETS_PER_TURN && w->fd >= 0; i++) {
    ssize_t n = recv(w->fd, f->buf, BUFFER, 0);
    if (n < 0) return; /* nothing more; or a refusal, which reading has cleared and the next datagram meets again */
    w->confirmed = true;
    touch(w);
    struct udp_packet reply = w->packet;
    reply.len = (size_t)n;
    (void)udp_packet_reply(w->listener, f->buf, &reply); /* lost as on any way */
  }
}

/* --- from the client to the pod ------------------------------------------------------------------------------------ */

/* Sends on the flow's socket; -ECONNREFUSED also for the refusal of this very datagram. */
static int send_now(const struct flow *w, size_t len) {
  int error = 0;
  socklen_t size = sizeof error;
  if (send(w->fd, w->forward->buf, len, MSG_NOSIGNAL) < 0) return -errno;
  if (!w->confirmed && getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error) return -error;
  return 0;
}

static int open_socket(struct flow *w, unsigned i) {
  struct forward_udp *f = w->forward;
  struct address target;
  close_socket(w);
  w->target = i;
  if (!target_address(f->transparent, &w->packet.client, f->port, i, &target)) return -EADDRNOTAVAIL;
  if (!w->routed && transparent_fits(f->transparent, &w->packet.client, &target))
    w->routed = transparent_add_client(f->transparent, &w->packet.client) == 0;
  w->fd = target_connect(f->transparent, &w->packet.client, &target, SOCK_DGRAM);
  if (w->fd < 0) return w->fd;
  return loop_add(f->loop, w->fd, EPOLLIN, &w->source);
}

static void forward(struct flow *w, size_t len) {
  /* Not the first one and no reply: the server may be back at a better one. */
  if (w->fd >= 0 && (w->confirmed || w->target == 0)) {
    int r = send_now(w, len);
    if (r != -ECONNREFUSED) return;
  }
  for (unsigned i = 0; i < TARGETS; i++) {
    int r = open_socket(w, i);
    if (r == 0) r = send_now(w, len);
    if (r == 0) return;
  }
  close_socket(w);
}

/* A new flow, or NULL when there is no room for one. */
static struct flow *flow_new(struct forward_udp *f, int listener, const struct udp_packet *p) {
  int64_t now = clock_ms();
  if (f->n >= f->max) {
    if (now - f->oldest->used < FORWARD_UDP_YOUNG_MS) return NULL;
    drop(f->oldest);
  }
  struct flow *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  w->forward = f;
  w->source.ready = on_reply;
  w->packet = *p;
  w->listener = listener;
  w->fd = -1;
  struct flow **bucket = bucket_of(f, &p->client);
  w->chain = *bucket;
  *bucket = w;
  enlist(w, now);
  f->n++;
  if (f->look.at < 0) f->look.at = now + LOOK_MS;
  return w;
}

/* The datagram in the buffer. */
static void carry(struct forward_udp *f, int listener, const struct udp_packet *packet) {
  struct flow *w = find(f, listener, packet);
  if (w)
    touch(w);
  else
    w = flow_new(f, listener, packet);
  if (w) forward(w, packet->len);
}

static void on_datagram(struct loop_source *source, uint32_t events) {
  (void)events;
  struct listener *l = container_of(source, struct listener, source);
  struct forward_udp *f = l->forward;
  for (int i = 0; i < PACKETS_PER_TURN; i++) {
    struct udp_packet packet;
    int r = udp_packet_receive(l->fd, f->buf, BUFFER, &packet);
    if (r == -EAGAIN) return;
    if (r < 0) continue; /* an error of an earlier reply, told here */
    carry(f, l->fd, &packet);
  }
}

void *forward_udp_buffer(struct forward_udp *f) {
  return f->buf;
}

void forward_udp_take(struct forward_udp *f, int listener, const struct udp_packet *packet) {
  if (listener >= LISTEN_FDS_START && listener < LISTEN_FDS_START + f->n_listeners) carry(f, listener, packet);
}

/* --- beginning and end --------------------------------------------------------------------------------------------- */

int forward_udp_new(struct loop *loop, struct transparent *t, uint16_t port, int n, bool listens, size_t max, struct forward_udp **ret) {
  struct forward_udp *f = calloc(1, sizeof *f + (size_t)n * sizeof f->listener[0]);
  void *buf = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int r = !f || buf == MAP_FAILED || max == 0 ? -ENOMEM : 0;
  if (r == 0) {
    f->loop = loop;
    f->transparent = t;
    f->port = port;
    f->max = max < FORWARD_UDP_FLOWS ? max : FORWARD_UDP_FLOWS;
    f->buf = buf;
    f->n_listeners = n;
    f->look = (struct loop_timer){.due = on_look, .at = -1};
    loop_timer(loop, &f->look);
  }
  for (int i = 0; r == 0 && i < n; i++) {
    f->listener[i] = (struct listener){.source.ready = on_datagram, .forward = f, .fd = LISTEN_FDS_START + i};
    r = udp_packet_prepare(f->listener[i].fd);
    if (r == 0 && listens) r = loop_add(loop, f->listener[i].fd, EPOLLIN, &f->listener[i].source);
  }
  if (r < 0) {
    if (buf != MAP_FAILED) munmap(buf, BUFFER);
    free(f);
    return r;
  }
  *ret = f;
  return 0;
}

void forward_udp_free(struct forward_udp *f) {
  while (f->oldest) drop(f->oldest);
  munmap(f->buf, BUFFER);
  free(f);
}
