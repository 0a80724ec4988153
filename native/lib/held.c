/* What infra holds open for containers: see held.h. */
#include "held.h"

#include "stdinpipe.h"

#define NAME "stdin-"

static void name_of(const struct held *h, char ret[KEEP_NAME_MAX]) {
  snprintf(ret, KEEP_NAME_MAX, NAME "%u", h->number);
}

static int add(struct held **all, unsigned number, const char *key, size_t len, int fd, struct held **ret) {
  struct held *h = calloc(1, sizeof *h + len);
  if (!h) return -ENOMEM;
  h->fd = fd;
  h->number = number;
  h->key_len = len;
  memcpy(h->key, key, len);
  h->next = *all;
  *all = h;
  if (ret) *ret = h;
  return 0;
}

int held_drop(struct held **all, const char *key, size_t len) {
  for (struct held **at = all; *at; at = &(*at)->next) {
    struct held *h = *at;
    char name[KEEP_NAME_MAX];
    if (h->key_len != len || memcmp(h->key, key, len) != 0) continue;
    name_of(h, name);
    (void)keep_forget(name);
    *at = h->next;
    close(h->fd);
    free(h);
    return 0;
  }
  return -ENOENT;
}

int held_add(struct held **all, const char *key, size_t len, int fd) {
  unsigned number = 1;
  struct held *h = NULL;
  (void)held_drop(all, key, len);
  for (h = *all; h; h = h->next)
    if (h->number >= number) number = h->number + 1;
  int r = add(all, number, key, len, fd, &h);
  if (r < 0) {
    close(fd);
    return r;
  }
  char name[KEEP_NAME_MAX];
  name_of(h, name);
  (void)keep_store(name, fd);
  return 0;
}

/* Whose it is says its path, "…/pods/web/app/stdin"; one that somebody has taken has none any more. */
static char *key_of(int fd) {
  char path[4096], link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return NULL;
  path[n] = 0;
  char *end = strrchr(path, '/');
  if (!end || strcmp(end, "/" STDIN_FIFO) != 0) return NULL;
  *end = 0;
  char *container = strrchr(path, '/');
  if (!container) return NULL;
  *container++ = 0;
  const char *pod = strrchr(path, '/');
  return pod ? xformat("USER_UNIT=pod-%s_%s.service\n", pod + 1, container) : NULL;
}

void held_take_back(struct held **all, struct kept *kept) {
  for (size_t i = 0; i < kept->n; i++) {
    unsigned number;
    int end = 0;
    if (sscanf(kept->item[i].name, NAME "%u%n", &number, &end) != 1 || !end || kept->item[i].name[end]) continue;
    cleanup_fd int fd = kept_take(kept, kept->item[i].name);
    cleanup_free char *key = fd < 0 ? NULL : key_of(fd);
    if (key && add(all, number, key, strlen(key), fd, NULL) == 0)
      (void)steal_fd(&fd);
    else
      (void)keep_forget(kept->item[i].name);
  }
}

void held_free(struct held *all) {
  while (all) {
    struct held *next = all->next;
    close(all->fd);
    free(all);
    all = next;
  }
}
