/* The pods behind a Service: see backends.h. */
#include "backends.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "condition.h"
#include "deadline.h"
#include "number.h"

enum { LIST_MAX = 1 << 20 };

static struct backend *find(struct backends *b, const char *pod, uint16_t port) {
  for (struct backend *one = b->first; one; one = one->next)
    if (one->port == port && !strcmp(one->pod, pod)) return one;
  struct backend *one = calloc(1, sizeof *one);
  if (!one || !(one->pod = strdup(pod))) return free(one), NULL;
  one->port = port;
  one->channel = -1;
  struct backend **end = &b->first;
  while (*end) end = &(*end)->next;
  return *end = one;
}

/* "web-0 8080"; others are passed over: podgen writes the list, and nobody else. */
static void read_line(struct backends *b, char *line) {
  char *space = strchr(line, ' ');
  uint64_t port;
  if (!space || space == line || line[0] == '.' || memchr(line, '/', (size_t)(space - line))) return;
  *space = 0;
  if (number_parse(space + 1, false, 1, 65535, &port) < 0) return;
  struct backend *one = find(b, line, (uint16_t)port);
  if (one) one->listed = true;
}

static void read_list(struct backends *b) {
  struct stat st = {0};
  cleanup_free char *text = NULL;
  size_t len;
  if (stat(b->path, &st) < 0 && errno != ENOENT) return;
  const int64_t stamp[] = {(int64_t)st.st_ino, (int64_t)st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
  if (b->looked && !memcmp(stamp, b->stamp, sizeof stamp)) return;
  int r = read_file_at(AT_FDCWD, b->path, LIST_MAX, &text, &len);
  if (r < 0 && r != -ENOENT) return;
  memcpy(b->stamp, stamp, sizeof stamp);
  for (struct backend *one = b->first; one; one = one->next) one->listed = false;
  char *save = NULL;
  for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) read_line(b, line);
}

static bool look(struct backends *b, int run, bool not_ready) {
  bool any = false;
  for (struct backend *one = b->first; one; one = one->next) {
    cleanup_free char *folder = xformat("pods/%s", one->pod);
    one->ready = one->listed && folder && condition_serves(run, folder, not_ready);
    any = any || one->ready;
  }
  return any;
}

void backends_look(struct backends *b, int run) {
  read_list(b);
  if (!look(b, run, b->not_ready) && b->fallback) (void)look(b, run, true);
  b->looked = clock_ms();
}

static void backend_free(struct backend *one) {
  free(one->pod);
  free(one);
}

void backends_forget(struct backends *b) {
  for (struct backend **at = &b->first; *at;) {
    struct backend *one = *at;
    if (one->listed || one->channel >= 0 || one->pid) {
      at = &one->next;
      continue;
    }
    *at = one->next;
    backend_free(one);
  }
}

void backends_free(struct backends *b) {
  for (struct backend *one = b->first, *next; one; one = next) {
    next = one->next;
    if (one->channel >= 0) close(one->channel);
    backend_free(one);
  }
  b->first = NULL;
}

/* Of client and pod together: whoever has the highest gets the client, so that a pod that comes or goes moves its own clients only. */
static uint32_t weight(const struct address *client, const struct backend *one) {
  struct address host = *client;
  address_set_port(&host, 0);
  uint32_t h = address_hash(&host);
  for (const char *c = one->pod; *c; c++) h = (h ^ (unsigned char)*c) * 16777619u;
  h = (h ^ one->port) * 16777619u;
  h ^= h >> 16;
  return h * 2246822519u;
}

/* Of two passes the first leaves out those that have just refused. A client waits for its pod's forwarder, unless that does not come up. */
static bool counts(const struct backend *one, const struct address *client, int64_t now, int pass) {
  return one->ready && (one->up || (client && one->again <= now)) && (pass > 0) == (one->later > now);
}

struct backend *backends_pick(struct backends *b, const struct address *client, const struct backend *except, int64_t now) {
  for (int pass = 0; pass < 2; pass++) {
    struct backend *best = NULL;
    unsigned n = 0;
    for (struct backend *one = b->first; one; one = one->next)
      if (one != except && counts(one, client, now, pass)) {
        n++;
        if (!best || (client && weight(client, one) > weight(client, best))) best = one;
      }
    if (n == 0) continue;
    if (client) return best->up ? best : NULL;
    unsigned turn = b->turn++ % n;
    for (struct backend *one = b->first; one; one = one->next)
      if (one != except && counts(one, client, now, pass) && turn-- == 0) return one;
  }
  return NULL;
}
