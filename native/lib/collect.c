/* The relay: see collect.h. */
#include "collect.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>

#include "deadline.h"
#include "held.h"
#include "lines.h"
#include "outbox.h"
#include "relay.h"

enum { CHUNK = 8 * 1024, STREAMS_PER_ROUND = 16, ASK_ROUNDS = 64 };

/* What the streams of one container have in common. */
struct source {
  unsigned number; /* in the names under which it is kept */
  unsigned streams;
  struct tail *tail; /* its last lines, where somebody asked for them; the collector's */
  size_t fields_len;
  char fields[];
};

struct stream {
  struct source *source;
  struct stream *prev, *next;
  struct line_cutter cutter;
  int fd;
  uint32_t kind; /* enum relay_stream */
};

struct collector {
  struct outbox outbox;
  int epoll;
  struct stream *all;
  struct tail *tails;
  struct held *held;
  struct stream *current; /* whose chunk, or last line, is not used up, because the journal was full */
  bool at_end;            /* of current */
  bool keep;
  unsigned last; /* number given to a source */
  size_t in_off, in_len;
  char in[CHUNK];
};

int collector_new(const char *journal_path, struct collector **ret) {
  struct collector *c = calloc(1, sizeof *c);
  if (!c) return -ENOMEM;
  c->outbox.journal = (struct journal){.fd = -1, .path = journal_path};
  c->outbox.spill = -1;
  c->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (c->epoll < 0) {
    int r = -errno;
    free(c);
    return r;
  }
  *ret = c;
  return 0;
}

/* --- kept for the next infra --- */

static const char *const suffix[] = {[RELAY_OUT] = "out", [RELAY_ERR] = "err", [RELAY_TTY] = "tty"};
#define FIELDS "fields"

static void keep_name(char ret[KEEP_NAME_MAX], unsigned number, const char *what) {
  snprintf(ret, KEEP_NAME_MAX, "log-%u-%s", number, what);
}

static void forget(const struct collector *c, unsigned number, const char *what) {
  char name[KEEP_NAME_MAX];
  keep_name(name, number, what);
  if (c->keep) (void)keep_forget(name);
}

/* A copy of the descriptor stays with systemd; that it cannot be kept loses nothing but that. */
static void keep(const struct collector *c, const struct stream *s) {
  char name[KEEP_NAME_MAX];
  keep_name(name, s->source->number, suffix[s->kind]);
  if (c->keep) (void)keep_store(name, s->fd);
}

static void keep_fields(const struct collector *c, const struct source *source) {
  char name[KEEP_NAME_MAX];
  if (!c->keep) return;
  keep_name(name, source->number, FIELDS);
  cleanup_fd int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd >= 0 && write_all(fd, source->fields, source->fields_len) == 0) (void)keep_store(name, fd);
}

/* --- streams --- */

static void stream_free(struct collector *c, struct stream *s) {
  if (s->prev)
    s->prev->next = s->next;
  else
    c->all = s->next;
  if (s->next) s->next->prev = s->prev;
  if (--s->source->streams == 0) free(s->source);
  line_free(&s->cutter);
  /* Closing alone would leave it in the set while anybody else has a copy of the descriptor. */
  (void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, s->fd, NULL);
  close(s->fd);
  free(s);
}

void collector_free(struct collector *c) {
  if (!c) return;
  while (c->all) stream_free(c, c->all);
  tail_free(c->tails);
  held_free(c->held);
  journal_close(&c->outbox.journal);
  close(c->epoll);
  free(c);
}

/* Pipes, and terminals of different containers, differ in device or inode. */
static bool is_there(const struct collector *c, const struct stat *st) {
  struct stat other;
  for (const struct stream *s = c->all; s; s = s->next)
    if (fstat(s->fd, &other) == 0 && other.st_dev == st->st_dev && other.st_ino == st->st_ino) return true;
  return false;
}

static int add_stream(struct collector *c, struct source *source, uint32_t kind, int fd) {
  struct stat st;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fstat(fd, &st) < 0) return -errno;
  if (is_there(c, &st)) {
    close(fd);
    return 0;
  }
  struct stream *s = calloc(1, sizeof *s);
  if (!s) return -ENOMEM;
  *s = (struct stream){.source = source, .next = c->all, .cutter = {.strip_cr = kind == RELAY_TTY}, .fd = fd, .kind = kind};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
  if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
    int r = -errno;
    free(s);
    return r;
  }
  if (c->all) c->all->prev = s;
  c->all = s;
  source->streams++;
  return 0;
}

static struct source *source_new(struct collector *c, unsigned number, const char *fields, size_t len) {
  struct source *source = calloc(1, sizeof *source + len);
  if (!source) return NULL;
  source->number = number;
  source->fields_len = len;
  memcpy(source->fields, fields, len);
  source->tail = tail_find(c->tails, fields, len);
  if (number > c->last) c->last = number;
  return source;
}

static bool request_ok(uint32_t streams, size_t n_fds, const char *fields, size_t fields_len) {
  return n_fds && n_fds <= RELAY_STREAMS && !(streams >> RELAY_STREAMS) && (size_t)__builtin_popcount(streams) == n_fds && fields_len &&
         fields_len <= RELAY_FIELDS_MAX && fields[fields_len - 1] == '\n';
}

int collector_add(struct collector *c, uint32_t streams, const int *fds, size_t n_fds, const char *fields, size_t fields_len) {
  int r = request_ok(streams, n_fds, fields, fields_len) ? 0 : -EINVAL;
  struct source *source = r == 0 ? source_new(c, c->last + 1, fields, fields_len) : NULL;
  if (r == 0 && !source) r = -ENOMEM;
  size_t i = 0;
  for (uint32_t kind = RELAY_OUT; r == 0 && i < n_fds; kind <<= 1)
    if ((streams & kind) && (r = add_stream(c, source, kind, fds[i])) == 0) i++;
  /* Those added before an error stay: half of a container's output is better than none. */
  for (; i < n_fds; i++) close(fds[i]);
  if (source && source->streams > 0) keep_fields(c, source);
  for (const struct stream *s = c->all; source && s; s = s->next)
    if (s->source == source) keep(c, s);
  if (source && source->streams == 0) free(source);
  return r;
}

/* The fields of container `number`, kept as a memfd; its source, with the streams that were kept. */
static int take_back(struct collector *c, struct kept *kept, unsigned number, int fields_fd) {
  char fields[RELAY_FIELDS_MAX], name[KEEP_NAME_MAX];
  ssize_t len = pread(fields_fd, fields, sizeof fields, 0);
  if (len <= 0) return len < 0 ? -errno : -EINVAL;
  struct source *source = source_new(c, number, fields, (size_t)len);
  if (!source) return -ENOMEM;
  int r = 0;
  for (uint32_t kind = RELAY_OUT; r == 0 && kind <= RELAY_TTY; kind <<= 1) {
    keep_name(name, number, suffix[kind]);
    int fd = kept_take(kept, name);
    if (fd >= 0 && (r = add_stream(c, source, kind, fd)) < 0) close(fd);
  }
  /* Its last stream ended in the moment between two words to systemd. */
  if (source->streams == 0) {
    forget(c, number, FIELDS);
    free(source);
  }
  return r;
}

int collector_keep(struct collector *c, struct kept *kept) {
  int r = 0;
  c->keep = true;
  held_take_back(&c->held, kept);
  for (size_t i = 0; r == 0 && i < kept->n; i++) {
    unsigned number;
    int end = 0;
    if (sscanf(kept->item[i].name, "log-%u-" FIELDS "%n", &number, &end) != 1 || !end || kept->item[i].name[end]) continue;
    cleanup_fd int fd = kept_take(kept, kept->item[i].name);
    r = fd < 0 ? 0 : take_back(c, kept, number, fd);
  }
  /* Streams without their fields: the earlier infra died in the middle of keeping them, and the sender tries again. */
  for (size_t i = 0; i < kept->n; i++)
    if (kept->item[i].fd >= 0 && !strncmp(kept->item[i].name, "log-", 4)) {
      (void)keep_forget(kept->item[i].name);
      close(steal_fd(&kept->item[i].fd));
    }
  return r;
}

size_t collector_streams(const struct collector *c) {
  size_t n = 0;
  for (const struct stream *s = c->all; s; s = s->next) n++;
  return n;
}

int collector_fd(const struct collector *c) {
  return c->epoll;
}

bool collector_blocked(const struct collector *c, int *ret_fd, int *ret_ms) {
  *ret_fd = c->outbox.journal.fd;
  *ret_ms = c->outbox.retry_ms;
  return c->outbox.blocked;
}

/* line_fn */
static int emit(void *context, const char *line, size_t len, bool partial) {
  struct collector *c = context;
  const struct stream *s = c->current;
  const int priority = s->kind == RELAY_ERR ? LOG_ERR : LOG_INFO;
  const int r = outbox_add(&c->outbox, s->source->fields, s->source->fields_len, priority, line, len, partial);
  /* One that is offered again has not been taken. */
  if (r != -EAGAIN && s->source->tail) tail_add(s->source->tail, line, len, partial);
  return r;
}

/* Goes on with the current stream's chunk and end. -EAGAIN when the journal is full. */
static int finish_current(struct collector *c) {
  struct stream *s = c->current;
  if (!s) return 0;
  c->in_off += line_cut(&s->cutter, c->in + c->in_off, c->in_len - c->in_off, emit, c);
  if (c->in_off < c->in_len) return -EAGAIN;
  if (c->at_end) {
    if (line_end(&s->cutter, emit, c) == -EAGAIN) return -EAGAIN;
    forget(c, s->source->number, suffix[s->kind]);
    if (s->source->streams == 1) forget(c, s->source->number, FIELDS);
    stream_free(c, s);
  }
  c->current = NULL;
  return 0;
}

/* Reads one chunk. False: nothing is there; true: the stream is current. */
static bool read_chunk(struct collector *c, struct stream *s) {
  ssize_t n;
  do {
    n = read(s->fd, c->in, sizeof c->in);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return false;
  /* A terminal whose last user closed it says EIO. Any other error ends the stream as well: nothing more can come. */
  c->at_end = n <= 0;
  c->in_off = 0;
  c->in_len = n > 0 ? (size_t)n : 0;
  c->current = s;
  return true;
}

int collector_run(struct collector *c) {
  if (outbox_flush(&c->outbox) < 0 || finish_current(c) < 0) return 1;
  struct epoll_event events[STREAMS_PER_ROUND];
  int n;
  do {
    n = epoll_wait(c->epoll, events, STREAMS_PER_ROUND, 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  for (int i = 0; i < n; i++)
    if (read_chunk(c, events[i].data.ptr) && finish_current(c) < 0) return 1; /* the others are still readable in the next round */
  return outbox_flush(&c->outbox) < 0 || n > 0;
}

int collector_hold(struct collector *c, const char *key, size_t len, int fd) {
  return held_add(&c->held, key, len, fd);
}

int collector_let_go(struct collector *c, const char *key, size_t len) {
  return held_drop(&c->held, key, len);
}

int collector_tail_begin(struct collector *c, const char *key, size_t len) {
  return tail_begin(&c->tails, key, len);
}

/* A container that has ended has written all it will; rounds are for its neighbours, who may go on for ever. */
int collector_tail_ask(struct collector *c, const char *key, size_t len, char ret[TAIL_BYTES], size_t *ret_len) {
  const struct tail *t = tail_find(c->tails, key, len);
  if (!t) return -ENOENT;
  for (int rounds = 0; rounds < ASK_ROUNDS && !c->outbox.blocked && collector_run(c) > 0;) rounds++;
  const char *lines = tail_lines(t, ret_len);
  memcpy(ret, lines, *ret_len);
  return 0;
}

/* What is in the pipes now, and no more than a line's worth of each: a container that goes on writing must not hold us. */
static void take_rest(struct collector *c) {
  (void)finish_current(c);
  for (struct stream *s = c->all, *next; s; s = next) {
    next = s->next;
    bool ended = false;
    for (size_t got = 0; !ended && got < LINE_MAX_BYTES && read_chunk(c, s); got += c->in_len) {
      ended = c->at_end;
      (void)finish_current(c);
    }
  }
}

/* Ends all lines that were begun. -EAGAIN when the journal is full. */
static int end_lines(struct collector *c) {
  int r = 0;
  for (struct stream *s = c->all; s && r == 0; s = s->next) {
    c->current = s;
    if (line_end(&s->cutter, emit, c) == -EAGAIN) r = -EAGAIN;
  }
  c->current = NULL;
  return r == 0 ? outbox_flush(&c->outbox) : r;
}

int collector_drain(struct collector *c, int64_t deadline, int spill) {
  for (;;) {
    int r = collector_run(c);
    if (r <= 0 && end_lines(c) == 0) return 0;
    int left = deadline_left(deadline), fd, ms;
    if (left == 0) break;
    if (!collector_blocked(c, &fd, &ms)) continue;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    (void)poll(&p, 1, fd < 0 && ms < left ? ms : left);
  }
  c->outbox.spill = spill;
  (void)outbox_flush(&c->outbox);
  take_rest(c);
  (void)end_lines(c);
  c->outbox.spill = -1;
  return 1;
}

int collector_resend(struct collector *c, int fd) {
  return outbox_resend(&c->outbox, fd);
}
