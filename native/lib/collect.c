/* The relay: see collect.h. */
#include "collect.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>

#include "lines.h"
#include "relay.h"

enum {
  CHUNK = 8 * 1024,
  DATAGRAM = 24 * 1024, /* well below the send buffer (208 KiB), so that several fit; a longer entry goes alone */
  STREAMS_PER_ROUND = 16,
  RETRY_FIRST_MS = 20,
  RETRY_LAST_MS = 500,
};

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
  struct journal journal;
  int epoll;
  struct stream *all;
  struct stream *current; /* whose chunk is not used up, because the journal was full; or whose last line is to be sent at its end */
  bool at_end;            /* of current */
  bool blocked;
  int retry_ms;
  int spill; /* -1, or where entries go instead of the journal */
  size_t in_off, in_len, out_len;
  char in[CHUNK];
  char out[DATAGRAM];
};

int collector_new(const char *journal_path, struct collector **ret) {
  struct collector *c = calloc(1, sizeof *c); /* pages are taken as they are touched */
  if (!c) return -ENOMEM;
  c->journal = (struct journal){.fd = -1, .path = journal_path};
  c->spill = -1;
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
  if (s->prev) s->prev->next = s->next;
  else c->all = s->next;
  if (s->next) s->next->prev = s->prev;
  if (c->current == s) c->current = NULL;
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
  journal_close(&c->journal);
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

int collector_add(struct collector *c, uint32_t streams, const int *fds, size_t n_fds, const char *fields, size_t fields_len) {
  int r = 0;
  struct source *source = NULL;
  if (!n_fds || n_fds > RELAY_STREAMS || streams >> RELAY_STREAMS || (size_t)__builtin_popcount(streams) != n_fds || !fields_len ||
      fields_len > RELAY_FIELDS_MAX || fields[fields_len - 1] != '\n')
    r = -EINVAL;
  else if (!(source = calloc(1, sizeof *source + fields_len)))
    r = -ENOMEM;
  if (r == 0) {
    source->fields_len = fields_len;
    memcpy(source->fields, fields, fields_len);
  }
  size_t i = 0;
  for (uint32_t kind = RELAY_OUT; r == 0 && kind <= RELAY_TTY; kind <<= 1) {
    if (!(streams & kind)) continue;
    if ((r = add_stream(c, source, kind, fds[i])) == 0) i++;
  }
  if (r == 0) return 0;
  /* Those that were added before the error stay: half a container's output is better than none. */
  for (; i < n_fds; i++) close(fds[i]);
  if (source && source->streams == 0) free(source);
  return r;
}

int collector_fd(const struct collector *c) {
  return c->epoll;
}

bool collector_blocked(const struct collector *c, int *ret_fd, int *ret_ms) {
  *ret_fd = c->journal.fd;
  *ret_ms = c->retry_ms;
  return c->blocked;
}

bool collector_idle(const struct collector *c) {
  return !c->all && !c->out_len;
}

/* --- sending --- */

/* Sends a datagram, or while spilling writes it with the separator behind it. -EAGAIN for both ways of "not now". */
static int deliver(struct collector *c, const struct iovec *iov, size_t n) {
  if (c->spill >= 0) {
    for (size_t i = 0; i < n; i++) {
      int r = write_all(c->spill, iov[i].iov_base, iov[i].iov_len);
      if (r < 0) return r;
    }
    return write_all(c->spill, "\n", 1);
  }
  int r = journal_send(&c->journal, iov, n);
  c->blocked = r == -EAGAIN || r == -ENOTCONN;
  if (!c->blocked) {
    c->retry_ms = RETRY_FIRST_MS;
    return r;
  }
  c->retry_ms = c->retry_ms < RETRY_FIRST_MS ? RETRY_FIRST_MS : c->retry_ms < RETRY_LAST_MS ? c->retry_ms * 2 : RETRY_LAST_MS;
  return -EAGAIN;
}

static int flush(struct collector *c) {
  if (!c->out_len) return 0;
  struct iovec iov = {.iov_base = c->out, .iov_len = c->out_len};
  int r = deliver(c, &iov, 1);
  if (r == -EAGAIN) return r;
  c->out_len = 0;
  return 0; /* a datagram that the kernel refuses for good is given up: trying again would stop the pod's output for ever */
}

/* line_fn: one entry of the protocol. The line holds no newline, so NAME=value serves for any other byte. */
static int emit(void *context, const char *line, size_t len, bool partial) {
  struct collector *c = context;
  const struct stream *s = c->current;
  char middle[80];
  int middle_len = snprintf(middle, sizeof middle, "PRIORITY=%d\n%sMESSAGE=", s->priority, partial ? "CONTAINER_PARTIAL_MESSAGE=true\n" : "");
  const struct iovec iov[] = {
      {.iov_base = s->source->fields, .iov_len = s->source->fields_len},
      {.iov_base = middle, .iov_len = (size_t)middle_len},
      {.iov_base = (char *)line, .iov_len = len},
      {.iov_base = "\n", .iov_len = 1},
  };
  size_t total = 1; /* the separator before it */
  for (size_t i = 0; i < N_ELEMENTS(iov); i++) total += iov[i].iov_len;
  if (c->out_len + total > sizeof c->out) {
    int r = flush(c);
    if (r < 0) return r;
    if (total > sizeof c->out) return deliver(c, iov, N_ELEMENTS(iov));
  }
  char *p = c->out + c->out_len;
  if (c->out_len) *p++ = '\n';
  for (size_t i = 0; i < N_ELEMENTS(iov); i++) p = mempcpy(p, iov[i].iov_base, iov[i].iov_len);
  c->out_len = (size_t)(p - c->out);
  return 0;
}

/* --- reading --- */

/* Goes on with the current stream's chunk or end. -EAGAIN when the journal is full. */
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

/* Reads one chunk. 0: nothing there; 1: the stream is current. */
static int read_chunk(struct collector *c, struct stream *s) {
  ssize_t n;
  do {
    n = read(s->fd, c->in, sizeof c->in);
  } while (n < 0 && errno == EINTR);
  if (n < 0 && errno == EAGAIN) return 0;
  /* A terminal whose last user closed it says EIO; any other error ends a stream as well, for nothing more can come. */
  c->at_end = n <= 0;
  c->in_off = 0;
  c->in_len = n > 0 ? (size_t)n : 0;
  c->current = s;
  return 1;
}

int collector_run(struct collector *c) {
  if (flush(c) < 0 || finish_current(c) < 0) return 1;
  struct epoll_event events[STREAMS_PER_ROUND];
  int n;
  do {
    n = epoll_wait(c->epoll, events, STREAMS_PER_ROUND, 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  for (int i = 0; i < n; i++) {
    if (read_chunk(c, events[i].data.ptr) == 0) continue;
    if (finish_current(c) < 0) return 1; /* the others are still readable in the next round */
  }
  return flush(c) < 0 || n > 0;
}

/* --- the end --- */

int collector_spill(struct collector *c, int fd) {
  off_t before = lseek(fd, 0, SEEK_END);
  c->spill = fd;
  int r = flush(c);
  if (r == 0) r = finish_current(c);
  /* What is in the pipes now, and no more: a container that goes on writing must not hold us. */
  for (struct stream *s = c->all, *next; s && r == 0; s = next) {
    next = s->next;
    for (size_t got = 0; got < LINE_MAX_BYTES && r == 0 && read_chunk(c, s) == 1; got += c->in_len) {
      bool end = c->at_end;
      r = finish_current(c);
      s = end ? NULL : s;
      if (!s) break;
    }
    if (!s || r < 0) continue;
    c->current = s;
    r = line_end(&s->cutter, emit, c);
    c->current = NULL;
  }
  if (r == 0) r = flush(c);
  c->spill = -1;
  return r < 0 ? r : lseek(fd, 0, SEEK_END) > before;
}

int collector_resend(struct collector *c, int fd) {
  struct stat st;
  if (fstat(fd, &st) < 0) return -errno;
  if (st.st_size == 0) return 0;
  void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (p == MAP_FAILED) return -errno;
  struct iovec iov = {.iov_base = p, .iov_len = (size_t)st.st_size};
  int r = journal_send(&c->journal, &iov, 1);
  munmap(p, (size_t)st.st_size);
  return r;
}
