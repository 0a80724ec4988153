/* The service's file descriptor store: see keep.h. */
#include "keep.h"

#include <fcntl.h>

#include "listen_fds.h"
#include "notify.h"
#include "number.h"

enum { KEPT_MAX = 65536 };

int keep_store(const char *name, int fd) {
  char text[KEEP_NAME_MAX + 64];
  snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
  return notify_send_fd(text, fd);
}

int keep_forget(const char *name) {
  char text[KEEP_NAME_MAX + 64];
  snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
  return notify_send(text);
}

int kept_read(bool mine, struct kept *ret) {
  const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
  uint64_t p = 0, n = 0;
  *ret = (struct kept){0};
  if (!count || !names || number_parse(count, false, 0, KEPT_MAX, &n) < 0 || n == 0) return 0;
  if (mine && (!pid || number_parse(pid, false, 1, INT32_MAX, &p) < 0 || p != (uint64_t)getpid())) return 0;
  ret->item = calloc(n, sizeof *ret->item);
  if (!ret->item) return -ENOMEM;
  ret->n = n;
  for (size_t i = 0; i < n; i++) {
    size_t len = strcspn(names, ":");
    ret->item[i].fd = LISTEN_FDS_START + (int)i;
    if (len < KEEP_NAME_MAX) memcpy(ret->item[i].name, names, len);
    names += len + (names[len] == ':');
  }
  return 0;
}

void kept_free(struct kept *kept) {
  free(kept->item);
  *kept = (struct kept){0};
}

int kept_take(struct kept *kept, const char *name) {
  for (size_t i = 0; i < kept->n; i++) {
    struct kept_item *item = &kept->item[i];
    if (item->fd < 0 || strcmp(item->name, name)) continue;
    return fcntl(item->fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : steal_fd(&item->fd);
  }
  return -1;
}
