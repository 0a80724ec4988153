/* fsGroup, as the kubelet does it (its SetVolumeOwnership): see volgroup.h. */
#include "volgroup.h"

#include <dirent.h>
#include <fcntl.h>

#include "digest.h"
#include "rmtree.h"

#define MARKS "grouped"

enum { DEPTH_MAX = 256, MARK_HEX = 32 };

mode_t volgroup_mode(const struct volgroup *g, mode_t mode) {
  mode_t bits = g->read_only ? 0440 : 0660;
  if (S_ISDIR(mode)) bits |= S_ISGID | 0110;
  return (mode & 07777) | bits;
}

/* chmod(2) of what is only O_PATH. */
static int set_mode(int fd, mode_t mode) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return chmod(path, mode) < 0 ? -errno : 0;
}

static int give(int fd, const struct stat *st, const struct volgroup *g, struct err *err) {
  const mode_t mode = volgroup_mode(g, st->st_mode);
  const bool link = S_ISLNK(st->st_mode);
  if (st->st_gid != g->gid && fchownat(fd, "", (uid_t)-1, g->gid, AT_EMPTY_PATH) < 0)
    return err_set(err, errno, "fsGroup", "%u%s", (unsigned)g->gid,
                   errno == EINVAL ? " is not mapped in the user namespace (/etc/subgid)" : "");
  /* A change of group takes set-id bits away. */
  const bool changed = st->st_gid != g->gid || (st->st_mode & 07777) != mode;
  int r = link || !changed ? 0 : set_mode(fd, mode);
  return r < 0 ? err_set(err, -r, "fsGroup", "mode of something in the volume") : 0;
}

static int walk(int volume, dev_t device, const struct volgroup *g, unsigned depth, struct err *err);

static int entry(int folder, const char *name, dev_t device, const struct volgroup *g, unsigned depth, struct err *err) {
  struct stat st;
  cleanup_fd int fd = openat(folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return 0; /* a container that runs has removed it */
  if (fd < 0 || fstat(fd, &st) < 0) return err_set(err, errno, "fsGroup", "%s", name);
  if (st.st_dev != device) return 0;
  if (S_ISDIR(st.st_mode)) return walk(fd, device, g, depth + 1, err);
  return give(fd, &st, g, err);
}

/* A folder comes after what is in it: `volume` itself last, so that one that was not done to the end is not taken for done. */
static int walk(int volume, dev_t device, const struct volgroup *g, unsigned depth, struct err *err) {
  struct stat st;
  if (depth > DEPTH_MAX) return err_set(err, ELOOP, "fsGroup", "the volume has more than %d folders in each other", DEPTH_MAX);
  cleanup_fd int fd = openat(volume, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return err_set(err, errno, "fsGroup", "a folder of the volume");
  DIR *dir = fdopendir(fd);
  if (!dir) return err_set(err, errno, "fsGroup", "a folder of the volume");
  const int folder = steal_fd(&fd);
  int r = 0;
  for (struct dirent *e; r == 0 && (e = readdir(dir));)
    if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) r = entry(folder, e->d_name, device, g, depth, err);
  closedir(dir);
  if (r < 0) return r;
  return fstat(volume, &st) < 0 ? err_set(err, errno, "fsGroup", "%s", "") : give(volume, &st, g, err);
}

int volgroup_apply(int volume, const struct volgroup *g, bool all, struct err *err) {
  struct stat st;
  if (fstat(volume, &st) < 0) return err_set(err, errno, "fsGroup", "%s", "");
  if (!all && st.st_gid == g->gid && (st.st_mode & 07777) == volgroup_mode(g, st.st_mode)) return 0;
  return S_ISDIR(st.st_mode) ? walk(volume, st.st_dev, g, 0, err) : give(volume, &st, g, err);
}

/* --- once at each start of the pod --- */

/* A name for a path and group, of any length. */
static void mark_name(const char *path, gid_t gid, char ret[sizeof MARKS + 1 + MARK_HEX]) {
  struct sha256_ctx sha;
  char text[DIGEST_TEXT];
  sha256_init(&sha);
  sha256_update(&sha, sizeof gid, (const uint8_t *)&gid);
  sha256_update(&sha, strlen(path), (const uint8_t *)path);
  digest_text(&sha, text);
  snprintf(ret, sizeof MARKS + 1 + MARK_HEX, MARKS "/%.*s", MARK_HEX, strchr(text, ':') + 1);
}

static int make_mark(int infra_dir, const char *mark, struct err *err) {
  if (mkdirat(infra_dir, MARKS, 0700) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", MARKS);
  cleanup_fd int fd = openat(infra_dir, mark, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  return fd < 0 ? err_set(err, errno, "create", "%s", mark) : 0;
}

int volgroup_mount(int volume, const char *path, const struct mountopt *opt, const struct podids *ids, int infra_dir, struct err *err) {
  if (opt->group < 0) return 0;
  const int64_t gid = podids_gid(ids, opt->group);
  if (gid < 0) return err_set(err, 0, "fsGroup", "%lld: the pod's user namespace has no such id", (long long)opt->group);
  const struct volgroup g = {.gid = (gid_t)gid, .read_only = opt->group_reads};
  char mark[sizeof MARKS + 1 + MARK_HEX];
  mark_name(path, g.gid, mark);
  const bool all = opt->group_always && (infra_dir < 0 || faccessat(infra_dir, mark, F_OK, AT_SYMLINK_NOFOLLOW) < 0);
  int r = volgroup_apply(volume, &g, all, err);
  return r < 0 || !all || infra_dir < 0 ? r : make_mark(infra_dir, mark, err);
}

int volgroup_forget(int infra_dir, struct err *err) {
  return rmtree_at(infra_dir, MARKS, err);
}
