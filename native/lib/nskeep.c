/* The pod's namespaces in the descriptor store: see nskeep.h. */
#include "nskeep.h"

#include <fcntl.h>
#include <sched.h>

#include "poduserns.h"
#include "userns.h"

/* The user namespace first: it gives the rights to join the others. The mount namespace has the pod's file systems in memory. */
static const struct {
  const char *name;
  int flag;
} kinds[] = {{"user", CLONE_NEWUSER}, {"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"mnt", CLONE_NEWNS}};

/* "ns-net-0123456789abcdef": as much of the digest's hex as tells bundles apart. */
static void name_of(char ret[KEEP_NAME_MAX], const char *kind, const char *digest) {
  const char *hex = strchr(digest, ':');
  snprintf(ret, KEEP_NAME_MAX, "ns-%s-%.16s", kind, hex ? hex + 1 : digest);
}

static bool came(const struct kept *kept, const char *name) {
  for (size_t i = 0; i < kept->n; i++)
    if (!strcmp(kept->item[i].name, name)) return true;
  return false;
}

int nskeep_store(const char *digest, const struct kept *kept, struct err *err) {
  for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
    char name[KEEP_NAME_MAX], path[32];
    name_of(name, kinds[i].name, digest);
    if (came(kept, name)) continue;
    snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i].name);
    cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : keep_store(name, fd);
    if (r < 0) return err_set(err, -r, "keep", "%s", path);
  }
  return 0;
}

void nskeep_forget(const char *digest) {
  for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
    char name[KEEP_NAME_MAX];
    name_of(name, kinds[i].name, digest);
    (void)keep_forget(name);
  }
}

/* False: one is missing. Those that are there are the caller's all the same. */
static bool take_all(struct kept *kept, const char *digest, int fds[N_ELEMENTS(kinds)]) {
  bool all = true;
  for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
    char name[KEEP_NAME_MAX];
    name_of(name, kinds[i].name, digest);
    fds[i] = kept_take(kept, name);
    all = all && fds[i] >= 0;
  }
  return all;
}

static void forget_others(struct kept *kept) {
  for (size_t i = 0; i < kept->n; i++)
    if (kept->item[i].fd >= 0 && !strncmp(kept->item[i].name, "ns-", 3)) {
      (void)keep_forget(kept->item[i].name);
      close(steal_fd(&kept->item[i].fd));
    }
}

/* A namespace that the pod has not of its own is the host's, which cannot be joined from here and is ours already. */
static bool is_own(const struct infra_conf *conf, int flag) {
  return flag == CLONE_NEWUSER || flag == CLONE_NEWNS || (flag == CLONE_NEWNET && conf->network) || (flag == CLONE_NEWIPC && conf->ipc) ||
         (flag == CLONE_NEWUTS && conf->uts);
}

static int join_all(const int fds[N_ELEMENTS(kinds)], const struct infra_conf *conf, struct err *err) {
  struct userns_map map;
  int r = conf->ids.own ? poduserns_join(fds[0], err) : userns_join(fds[0], &map, err);
  for (size_t i = 1; r == 0 && i < N_ELEMENTS(kinds); i++)
    if (is_own(conf, kinds[i].flag) && setns(fds[i], kinds[i].flag) < 0) r = err_set(err, errno, "setns", "the pod's %s", kinds[i].name);
  return r;
}

int nskeep_join(struct kept *kept, const struct infra_conf *conf, struct err *err) {
  int fds[N_ELEMENTS(kinds)];
  bool all = take_all(kept, conf->digest, fds);
  forget_others(kept);
  int r = all ? join_all(fds, conf, err) : 0;
  for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
    if (fds[i] >= 0) close(fds[i]);
  /* What cannot be joined once never can: the next try is to begin anew. */
  if (r < 0) nskeep_forget(conf->digest);
  return r < 0 ? r : all;
}
