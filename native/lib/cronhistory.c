/* Ended runs of a CronJob: moved aside, and cut to their number: see cronstate.h. */
#include <dirent.h>
#include <fcntl.h>

#include "cronstate.h"
#include "durable.h"

int cron_history_take(const struct cron_spec *spec, const struct cron_slot *slot, struct err *err) {
  int64_t ended;
  const enum cron_phase phase = cron_phase_read(AT_FDCWD, slot->state, &ended);
  if (phase == CRON_COMPLETE || phase == CRON_FAILED) {
    cleanup_free char *to = xformat("%s/%lld-%s.json", spec->history, (long long)ended, slot->job);
    int r = to ? durable_folders(to) : -ENOMEM;
    if (r == 0 && rename(slot->state, to) < 0) r = -errno;
    return r < 0 ? err_set(err, -r, "history", "%s", spec->history) : 0;
  }
  return unlink(slot->state) < 0 && errno != ENOENT ? err_set(err, errno, "remove", "%s", slot->state) : 0;
}

struct ended {
  int64_t at;
  bool succeeded;
  char *path;
};

struct ended_list {
  struct ended *list;
  size_t n;
};

static int add(struct ended_list *l, int dirfd, const char *name, const char *folder) {
  int64_t at;
  const enum cron_phase phase = cron_phase_read(dirfd, name, &at);
  if (phase != CRON_COMPLETE && phase != CRON_FAILED) return 0;
  struct ended *bigger = realloc(l->list, (l->n + 1) * sizeof *bigger);
  if (!bigger) return -ENOMEM;
  l->list = bigger;
  char *path = folder ? xformat("%s/%s", folder, name) : strdup(name);
  if (!path) return -ENOMEM;
  l->list[l->n++] = (struct ended){at, phase == CRON_COMPLETE, path};
  return 0;
}

static int add_history(struct ended_list *l, const char *folder) {
  DIR *dir = opendir(folder);
  if (!dir) return errno == ENOENT ? 0 : -errno;
  int r = 0;
  for (const struct dirent *e; r == 0 && (e = readdir(dir));)
    if (e->d_name[0] != '.') r = add(l, dirfd(dir), e->d_name, folder);
  closedir(dir);
  return r;
}

static int newest_first(const void *a, const void *b) {
  const struct ended *x = a, *y = b;
  if (x->at != y->at) return x->at < y->at ? 1 : -1;
  return strcmp(x->path, y->path);
}

int cron_history_cut(const struct cron_spec *spec, int64_t now, struct err *err) {
  struct ended_list l = {0};
  int r = add_history(&l, spec->history);
  /* With a time of their own their controllers wait for it, and remove them. */
  for (size_t i = 0; r == 0 && spec->ttl < 0 && i < spec->n; i++) r = add(&l, AT_FDCWD, spec->slots[i].state, NULL);
  if (l.n) qsort(l.list, l.n, sizeof *l.list, newest_first);
  int64_t kept[2] = {0, 0};
  for (size_t i = 0; r == 0 && i < l.n; i++) {
    const struct ended *e = &l.list[i];
    const bool late = spec->ttl >= 0 && now - e->at >= spec->ttl;
    if (kept[e->succeeded]++ < spec->keep[e->succeeded] && !late) continue;
    if (unlink(e->path) < 0 && errno != ENOENT) r = -errno;
  }
  for (size_t i = 0; i < l.n; i++) free(l.list[i].path);
  free(l.list);
  return r < 0 ? err_set(err, -r, "history", "%s", spec->history) : 0;
}
