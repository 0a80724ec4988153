/* Kubernetes' restart back-off: see backoff.h. */
#include "backoff.h"

#include <jansson.h>
#include <poll.h>
#include <time.h>

#include "complain.h"
#include "manager.h"
#include "notify.h"
#include "ownunit.h"

enum { FIRST = 10, LONGEST = 300, FORGET = 600, TOLD_EVERY = 10 };
#define FILE_NAME "backoff.json"

unsigned backoff_delay(unsigned count) {
  if (count < 2) return 0;
  if (count > 6) return LONGEST;
  unsigned delay = FIRST << (count - 2);
  return delay < LONGEST ? delay : LONGEST;
}

bool backoff_recent(const struct backoff *old, int64_t now) {
  /* A time to come is of another boot, on machines whose runtime folder is on disk. */
  return now >= old->last && now - old->last < FORGET;
}

unsigned backoff_next(const struct backoff *old, int64_t now, bool by_hand) {
  if (!old || by_hand || !backoff_recent(old, now)) return 0;
  return old->count < 1000 ? old->count + 1 : old->count;
}

static int64_t boot_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec;
}

static bool read_old(int dir, struct backoff *ret) {
  cleanup_free char *text = NULL;
  size_t len;
  if (read_file_at(dir, FILE_NAME, 4096, &text, &len) < 0) return false;
  json_t *root = json_loadb(text, len, 0, NULL);
  json_int_t count = 0, last = 0;
  bool ok = root && json_unpack(root, "{s:I, s:I}", "count", &count, "last", &last) == 0 && count >= 0 && count < 1 << 20 && last >= 0;
  json_decref(root);
  *ret = (struct backoff){.count = (unsigned)count, .last = last};
  return ok;
}

static int write_new(int dir, const struct backoff *b, struct err *err) {
  char text[80];
  int len = snprintf(text, sizeof text, "{\"count\":%u,\"last\":%lld}\n", b->count, (long long)b->last);
  int r = write_file_atomic_at(dir, FILE_NAME, text, (size_t)len, 0600);
  return r < 0 ? err_set(err, -r, "write", FILE_NAME) : 0;
}

/* The unit's start may have a time limit: it is put off as far as we wait (sd_notify(3)). */
static void tell(int64_t left) {
  char text[160];
  snprintf(text, sizeof text, "STATUS=CrashLoopBackOff, next try in %llds\nEXTEND_TIMEOUT_USEC=%lld", (long long)left,
           (long long)(left + 60) * 1000000);
  (void)notify_send(text);
}

static void wait_seconds(unsigned seconds) {
  const int64_t end = boot_seconds() + seconds;
  for (int64_t left; (left = end - boot_seconds()) > 0;) {
    tell(left);
    (void)poll(NULL, 0, (int)(left < TOLD_EVERY ? left : TOLD_EVERY) * 1000);
  }
  (void)notify_send("STATUS=");
}

/* The manager's own count; without an answer one that makes for the shortest wait. */
static unsigned counted_by_manager(const char *unit) {
  unsigned restarts = 2;
  (void)manager_restarts(unit, &restarts);
  return restarts;
}

void backoff_wait(int dir, const char *unit, const char *identifier, const char *verb) {
  struct err err;
  struct backoff old, new = {0};
  bool has_old = read_old(dir, &old);
  int64_t now = boot_seconds();
  if (has_old && backoff_recent(&old, now)) {
    unsigned restarts = 1;
    /* Without an answer it counts as automatic: waiting too long does less harm than not at all. */
    bool by_hand = manager_restarts(unit, &restarts) == 0 && restarts == 0;
    new.count = backoff_next(&old, now, by_hand);
  }
  unsigned delay = backoff_delay(new.count);
  if (delay) wait_seconds(delay);
  new.last = boot_seconds();
  if (write_new(dir, &new, &err) == 0) return;
  complain_warning(&err, verb, unit, identifier, "the manager's count of restarts holds instead");
  unsigned instead = backoff_delay(counted_by_manager(unit));
  if (instead > delay) wait_seconds(instead - delay);
}

void backoff_failed(void) {
  cleanup_free char *unit = own_unit();
  unsigned delay = unit ? backoff_delay(counted_by_manager(unit)) : 0;
  if (delay) wait_seconds(delay);
}
