/* The relay: see collect.h. */
#include "collect.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <syslog.h>

#include "deadline.h"
#include "lines.h"
#include "outbox.h"
#include "relay.h"

enum { CHUNK = 8 * 1024, STREAMS_PER_ROUND = 16 };

/* What the streams of one container have in common. */
struct source {
  unsigned streams;
  size_t fields_len;
  char fields[];
};

struct stream {
  struct source *source;
  struct stream *prev, *next;
  struct line_cutter cutter;
  int fd;
  int priority;
};

struct collector {
  struct outbox outbox;
  int epoll;
  struct stream *all;
  struct stream *current; /* whose chunk, or last line, is not used up, because the journal was full */
  bool at_end;            /* of current */
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
  journal_close(&c->outbox.journal);
  close(c->epoll);
  free(c);
}

static int add_stream(struct collector *c, struct source *source, uint32_t kind, int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
  struct stream *s = calloc(1, sizeof *s);
  if (!s) return -ENOMEM;
  *s = (struct stream){.source = source,
                       .next = c->all,
                       .cutter = {.strip_cr = kind == RELAY_TTY},
                       .fd = fd,
                       .priority = kind == RELAY_ERR ? LOG_ERR : LOG_INFO};
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

static bool request_ok(uint32_t streams, size_t n_fds, const char *fields, size_t fields_len) {
  return n_fds && n_fds <= RELAY_STREAMS && !(streams >> RELAY_STREAMS) && (size_t)__builtin_popcount(streams) == n_fds && fields_len &&
         fields_len <= RELAY_FIELDS_MAX && fields[fields_len - 1] == '\n';
}

int collector_add(struct collector *c, uint32_t streams, const int *fds, size_t n_fds, const char *fields, size_t fields_len) {
  int r = request_ok(streams, n_fds, fields, fields_len) ? 0 : -EINVAL;
  struct source *source = r == 0 ? calloc(1, sizeof *source + fields_len) : NULL;
  if (r == 0 && !source) r = -ENOMEM;
  if (source) {
    source->fields_len = fields_len;
    memcpy(source->fields, fields, fields_len);
  }
  size_t i = 0;
  for (uint32_t kind = RELAY_OUT; r == 0 && i < n_fds; kind <<= 1)
    if ((streams & kind) && (r = add_stream(c, source, kind, fds[i])) == 0) i++;
  if (r == 0) return 0;
  /* Those added before the error stay: half of a container's output is better than none. */
  for (; i < n_fds; i++) close(fds[i]);
  if (source && source->streams == 0) free(source);
  return r;
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
  return outbox_add(&c->outbox, s->source->fields, s->source->fields_len, s->priority, line, len, partial);
}

/* Goes on with the current stream's chunk and end. -EAGAIN when the journal is full. */
static int finish_current(struct collector *c) {
  struct stream *s = c->current;
  if (!s) return 0;
  c->in_off += line_cut(&s->cutter, c->in + c->in_off, c->in_len - c->in_off, emit, c);
  if (c->in_off < c->in_len) return -EAGAIN;
  if (c->at_end) {
    if (line_end(&s->cutter, emit, c) == -EAGAIN) return -EAGAIN;
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
