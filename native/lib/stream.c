/* A layer's uncompressed bytes in blocks: see stream.h. One thread decompresses into a ring, the caller's hashes and uses. */
#include "stream.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "blob.h"
#include "digest.h"

/* Blocks are multiples of tar's 512 bytes, so libarchive never copies one together; small enough to stay in a cache. */
enum { SLOTS = 4, SLOT_SIZE = 256 * 1024 };

struct stream {
  struct stream_limits limits;
  struct blob *blob;
  int stop; /* epoll of the caller's stop and of `quit`: readable when either is */
  int quit;
  bool started, holding;
  struct sha256_ctx sha;
  uint64_t size;
  void (*tap)(void *arg, const void *bytes, size_t len);
  void *tap_arg;

  pthread_t thread;
  pthread_mutex_t lock; /* guards what follows */
  pthread_cond_t changed;
  unsigned made, taken; /* blocks so far; their difference is what stands in the ring */
  bool end, leave;
  int error;
  struct err err;
  size_t len[SLOTS];
  uint8_t *slot[SLOTS];
};

/* Adds to *total and compares with the limits. */
static int check_limits(const struct stream *s, uint64_t total, struct err *err) {
  if (total > s->limits.bytes) {
    err_set(err, 0, "limit", "the layer unpacks to more than %" PRIu64 " bytes (--max-bytes)", s->limits.bytes);
    return -E2BIG;
  }
  uint64_t used = blob_used(s->blob);
  if (total > STREAM_RATIO_FREE && total / s->limits.ratio > used) {
    err_set(err, 0, "limit", "the layer unpacks to more than %" PRIu64 " times its size (--max-ratio)", s->limits.ratio);
    return -E2BIG;
  }
  return 0;
}

/* Waits for a free slot; false when the stream is being freed. */
static bool slot_wait(struct stream *s, unsigned *slot) {
  pthread_mutex_lock(&s->lock);
  while (s->made - s->taken == SLOTS && !s->leave) pthread_cond_wait(&s->changed, &s->lock);
  *slot = s->made % SLOTS;
  bool go_on = !s->leave;
  pthread_mutex_unlock(&s->lock);
  return go_on;
}

static void *producer(void *arg) {
  struct stream *s = arg;
  uint64_t total = 0;
  for (unsigned slot; slot_wait(s, &slot);) {
    struct err err = {0};
    ssize_t n = blob_read(s->blob, s->slot[slot], SLOT_SIZE, &err);
    int r = n < 0 ? (int)n : check_limits(s, total += (uint64_t)n, &err);
    pthread_mutex_lock(&s->lock);
    if (r < 0) {
      s->error = r;
      s->err = err;
    } else if (n > 0) {
      s->len[slot] = (size_t)n;
      s->made++;
    }
    s->end = r < 0 || n < SLOT_SIZE;
    bool end = s->end;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (end) break;
  }
  return NULL;
}

static int make_stop(struct stream *s, int stop) {
  struct epoll_event event = {.events = EPOLLIN};
  s->quit = eventfd(0, EFD_CLOEXEC);
  s->stop = epoll_create1(EPOLL_CLOEXEC);
  if (s->quit < 0 || s->stop < 0 || epoll_ctl(s->stop, EPOLL_CTL_ADD, s->quit, &event) < 0) return -errno;
  if (stop >= 0 && epoll_ctl(s->stop, EPOLL_CTL_ADD, stop, &event) < 0) return -errno;
  return 0;
}

/* Signals belong to the caller's thread. */
static int start_thread(struct stream *s) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  int r = pthread_create(&s->thread, NULL, producer, s);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  s->started = r == 0;
  return -r;
}

int stream_open(int fd, int stop, const struct stream_limits *limits, struct stream **ret, struct err *err) {
  struct stream *s = calloc(1, sizeof *s);
  if (!s) return err_set(err, ENOMEM, "read", "the layer");
  s->limits = *limits;
  if (s->limits.ratio == 0) s->limits.ratio = 1;
  s->stop = s->quit = -1;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->changed, NULL);
  sha256_init(&s->sha);
  int r = make_stop(s, stop);
  for (unsigned i = 0; r == 0 && i < SLOTS; i++)
    if (!(s->slot[i] = malloc(SLOT_SIZE))) r = -ENOMEM;
  if (r < 0)
    err_set(err, -r, "read", "the layer");
  else
    r = blob_open(fd, s->stop, &s->blob, err);
  if (r == 0 && (r = start_thread(s)) < 0) err_set(err, -r, "thread", "%s", "");
  if (r < 0)
    stream_free(s);
  else
    *ret = s;
  return r;
}

void stream_tap(struct stream *s, void (*tap)(void *arg, const void *bytes, size_t len), void *arg) {
  s->tap = tap;
  s->tap_arg = arg;
}

ssize_t stream_next(struct stream *s, const void **ret, struct err *err) {
  if (s->holding && s->tap) s->tap(s->tap_arg, NULL, 0);
  pthread_mutex_lock(&s->lock);
  if (s->holding) {
    s->holding = false;
    s->taken++;
    pthread_cond_broadcast(&s->changed);
  }
  while (s->made == s->taken && !s->end) pthread_cond_wait(&s->changed, &s->lock);
  ssize_t n = 0;
  unsigned slot = s->taken % SLOTS;
  if (s->made != s->taken) {
    s->holding = true;
    n = (ssize_t)s->len[slot];
  } else if (s->error) {
    n = s->error;
    if (err) *err = s->err;
  }
  pthread_mutex_unlock(&s->lock);
  if (n <= 0) return n;
  sha256_update(&s->sha, (size_t)n, s->slot[slot]);
  s->size += (uint64_t)n;
  *ret = s->slot[slot];
  if (s->tap) s->tap(s->tap_arg, *ret, (size_t)n);
  return n;
}

int stream_finish(struct stream *s, char digest[72], uint64_t *size, struct err *err) {
  const void *ignored;
  ssize_t n;
  while ((n = stream_next(s, &ignored, err)) > 0) continue;
  if (n < 0) return (int)n;
  digest_text(&s->sha, digest);
  *size = s->size;
  return 0;
}

void stream_free(struct stream *s) {
  if (!s) return;
  if (s->started) {
    pthread_mutex_lock(&s->lock);
    s->leave = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    (void)eventfd_write(s->quit, 1);
    pthread_join(s->thread, NULL);
  }
  blob_free(s->blob);
  for (unsigned i = 0; i < SLOTS; i++) free(s->slot[i]);
  if (s->quit >= 0) close(s->quit);
  if (s->stop >= 0) close(s->stop);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->changed);
  free(s);
}
