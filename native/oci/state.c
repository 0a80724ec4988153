/* The state of OCI containers: see state.h. */
#include "state.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/rmtree.h"

enum { STATE_MAX = 64 * 1024 };

/* --- folders --- */

bool oci_in_userns(void) {
  unsigned long inside, outside, count;
  cleanup_file FILE *f = fopen("/proc/self/uid_map", "re");
  return f && fscanf(f, "%lu %lu %lu", &inside, &outside, &count) == 3 && (inside != 0 || outside != 0 || count != UINT32_MAX);
}

/* Every part of it, as mkdir -p: 0700, which counts for the last. */
static int make_path(const char *path) {
  cleanup_free char *copy = strdup(path);
  if (!copy) return -ENOMEM;
  for (char *p = copy + 1; *p; p++) {
    if (*p != '/') continue;
    *p = 0;
    if (mkdir(copy, 0755) < 0 && errno != EEXIST) return -errno;
    *p = '/';
  }
  return mkdir(copy, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* What sudo(8) or su(1) left in root's environment is another user's, who could put there what root would take for its own. */
static bool is_own(const char *folder) {
  struct stat st;
  return geteuid() != 0 || (stat(folder, &st) == 0 && st.st_uid == 0);
}

/* State files say whom to kill and which hooks to run: nobody else may write them. */
static int check_root(int fd, const char *path, struct err *err) {
  struct stat st;
  if (fstat(fd, &st) < 0) return err_set(err, errno, "root", "%s", path);
  if (st.st_uid != geteuid() && st.st_uid != 0) return err_set(err, 0, "root", "%s belongs to user %u, not to us", path, st.st_uid);
  if (st.st_mode & S_IWOTH) return err_set(err, 0, "root", "%s: everybody may write there", path);
  return 0;
}

int oci_root_open(const char *root, bool create, struct err *err) {
  /* Whoever is root of a user namespace alone (podman's, say) has the variable, too; real root has none, or an empty one. */
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  const bool own = runtime && runtime[0] == '/' && is_own(runtime);
  cleanup_free char *path = root ? strdup(root) : own ? xformat("%s/podrt", runtime) : geteuid() == 0 ? strdup("/run/podrt") : NULL;
  if (!path) return err_set(err, 0, "root", "neither --root nor XDG_RUNTIME_DIR says where containers' states are");
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT && create) {
    int r = make_path(path);
    if (r < 0) return err_set(err, -r, "root", "%s", path);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  if (fd < 0) return err_set(err, errno, "root", "%s", path);
  int r = check_root(fd, path, err);
  if (r < 0) close(fd);
  return r < 0 ? r : fd;
}

bool oci_id_valid(const char *id) {
  size_t len = strlen(id);
  for (size_t i = 0; i < len; i++)
    if (!isalnum((unsigned char)id[i]) && !strchr("_+-.", id[i])) return false;
  /* Names that begin with a dot are our own. */
  return len > 0 && len <= 1024 && id[0] != '.';
}

static int check_id(const char *id, struct err *err) {
  return oci_id_valid(id) ? 0 : err_set(err, 0, "container", "invalid id \"%.64s\": letters, digits and _+-. are allowed", id);
}

int oci_container_make(int root, const char *id, struct oci_container *ret, struct err *err) {
  struct oci_container c = {.dir = -1};
  int r = check_id(id, err);
  if (r < 0) return r;
  if (mkdirat(root, id, 0700) < 0) {
    if (errno == EEXIST) return err_set(err, 0, "container", "\"%s\" already exists", id), -EEXIST;
    return err_set(err, errno, "container", "%s", id);
  }
  c.dir = openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (c.dir < 0) return err_set(err, errno, "container", "%s", id);
  snprintf(c.id, sizeof c.id, "%s", id);
  c.owner = geteuid();
  *ret = c;
  return 0;
}

int oci_container_lock(struct oci_container *c) {
  if (flock(c->dir, LOCK_EX | LOCK_NB) < 0) return -errno;
  c->locked = true;
  return 0;
}

/* By a description of our own: the lock goes with that, and several who look do not take each other for somebody at work. */
static bool is_being_made(const struct oci_container *c) {
  if (c->locked) return false;
  cleanup_fd int dir = openat(c->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return dir >= 0 && flock(dir, LOCK_SH | LOCK_NB) < 0;
}

/* Its folder may have been removed, and made anew by somebody else. */
static bool is_named(int root, const struct oci_container *c) {
  struct stat own, named;
  return fstat(c->dir, &own) == 0 && fstatat(root, c->id, &named, AT_SYMLINK_NOFOLLOW) == 0 && own.st_dev == named.st_dev &&
         own.st_ino == named.st_ino;
}

int oci_container_remove(int root, struct oci_container *c, struct err *err) {
  if (!is_named(root, c)) return 0;
  return rmtree_at(root, c->id, err);
}

void oci_container_free(struct oci_container *c) {
  if (c->dir >= 0) close(c->dir);
  c->dir = -1;
  free(c->bundle);
  free(c->created);
  free(c->rootfs);
  oci_cgroup_free(&c->cgroup);
  c->bundle = c->created = c->rootfs = NULL;
}

/* --- the file --- */

int oci_container_save(const struct oci_container *c, struct err *err) {
  char start[24];
  snprintf(start, sizeof start, "%llu", (unsigned long long)c->proc.start);
  json_t *tree = json_pack("{s:s, s:i, s:s, s:b, s:s, s:s, s:s, s:I, s:o*}", "id", c->id, "pid", (int)c->proc.pid, "startTime", start,
                           "process", c->has_process, "bundle", c->bundle, "rootfs", c->rootfs ? c->rootfs : "", "created",
                           c->created ? c->created : "", "owner", (json_int_t)c->owner, "cgroup", oci_cgroup_to_json(&c->cgroup));
  char *text = tree ? json_dumps(tree, JSON_COMPACT) : NULL;
  json_decref(tree);
  int r = text ? write_file_atomic_at(c->dir, "state.json", text, strlen(text), 0600) : -ENOMEM;
  free(text);
  return r < 0 ? err_set(err, -r, "write", "state.json of %s", c->id) : 0;
}

static int read_state(const json_t *tree, struct oci_container *c, struct err *err) {
  json_int_t pid = 0, owner = 0;
  const char *start = "", *bundle = "", *rootfs = "", *created = "";
  int process = 0;
  char *end;
  if (json_unpack((json_t *)tree, "{s:I, s:s, s:b, s:s, s:s, s:s, s:I}", "pid", &pid, "startTime", &start, "process", &process, "bundle",
                  &bundle, "rootfs", &rootfs, "created", &created, "owner", &owner) < 0 ||
      pid < 0 || pid > INT32_MAX || owner < 0 || owner > UINT32_MAX)
    return -EBADMSG;
  c->proc = (struct proc_id){.pid = (pid_t)pid, .start = strtoull(start, &end, 10)};
  if (end == start || *end) return -EBADMSG;
  c->has_process = process;
  c->owner = (uint32_t)owner;
  c->bundle = strdup(bundle);
  c->rootfs = strdup(rootfs);
  c->created = strdup(created);
  if (!c->bundle || !c->rootfs || !c->created) return -ENOMEM;
  json_t *cgroup = json_object_get(tree, "cgroup");
  return cgroup ? oci_cgroup_from_json(cgroup, &c->cgroup, err) : 0;
}

int oci_container_parse(const char *text, size_t len, struct oci_container *c, struct err *err) {
  json_t *tree = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
  int r = tree ? read_state(tree, c, err) : -EBADMSG;
  json_decref(tree);
  return r < 0 ? err_set(err, -r, "state.json", "%s", c->id) : 0;
}

/* Just being made, or its maker was killed: there is nothing but the folder. */
static int read_state_file(struct oci_container *c, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(c->dir, "state.json", STATE_MAX, &text, &len);
  if (r == -ENOENT) return 0;
  return r < 0 ? err_set(err, -r, "state.json", "%s", c->id) : oci_container_parse(text, len, c, err);
}

int oci_container_open(int root, const char *id, struct oci_container *ret, struct err *err) {
  struct oci_container c = {.dir = -1};
  int r = check_id(id, err);
  if (r < 0) return r;
  /* Why the root cannot be opened is in err, and no reason to think that the container is gone. */
  if (root < 0 && root != -ENOENT) return root;
  snprintf(c.id, sizeof c.id, "%s", id);
  c.dir = root < 0 ? -1 : openat(root, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (c.dir < 0 && (root < 0 || errno == ENOENT)) return err_set(err, 0, "container", "\"%s\" does not exist", id), -ENOENT;
  if (c.dir < 0) return err_set(err, errno, "container", "%s", id);
  r = read_state_file(&c, err);
  if (r < 0)
    oci_container_free(&c);
  else
    *ret = c;
  return r;
}

int oci_container_reload(int root, struct oci_container *c, struct err *err) {
  const int dir = c->dir;
  if (!is_named(root, c)) return err_set(err, 0, "container", "\"%s\" does not exist", c->id), -ENOENT;
  c->dir = -1;
  oci_container_free(c);
  c->dir = dir;
  c->proc = (struct proc_id){0};
  return read_state_file(c, err);
}

int oci_container_spec(const struct oci_container *c, struct oci_spec *ret, struct err *err) {
  return oci_spec_read(c->dir, ret, err);
}

/* --- status --- */

enum oci_status oci_container_status(const struct oci_container *c) {
  if (!c->proc.pid) return is_being_made(c) ? OCI_CREATING : OCI_STOPPED;
  cleanup_fd int pidfd = proc_open(&c->proc);
  if (pidfd < 0) return OCI_STOPPED;
  if (faccessat(c->dir, OCI_START_SOCKET, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return OCI_CREATED;
  return oci_cgroup_is_frozen(&c->cgroup) ? OCI_PAUSED : OCI_RUNNING;
}

const char *oci_status_name(enum oci_status status) {
  static const char *const names[] = {"creating", "created", "running", "paused", "stopped"};
  return names[status];
}

json_t *oci_container_state(const struct oci_container *c, const struct oci_spec *spec, enum oci_status status) {
  json_t *tree = json_pack("{s:s, s:s, s:s, s:i, s:s}", "ociVersion", OCI_VERSION, "id", c->id, "status", oci_status_name(status), "pid",
                           status == OCI_STOPPED ? 0 : (int)c->proc.pid, "bundle", c->bundle ? c->bundle : "");
  /* Beyond the specification, and what runc and crun say, too. */
  if (c->rootfs && *c->rootfs) (void)json_object_set_new(tree, "rootfs", json_string(c->rootfs));
  if (c->created && *c->created) (void)json_object_set_new(tree, "created", json_string(c->created));
  json_t *notes = spec && spec->n_annotations ? json_object() : NULL;
  for (size_t i = 0; notes && i < spec->n_annotations; i++)
    (void)json_object_set_new(notes, spec->annotations[i].key, json_string(spec->annotations[i].value));
  if (notes) (void)json_object_set_new(tree, "annotations", notes);
  return tree;
}

/* By hand: gmtime_r(3) reads /etc/localtime. Years as Howard Hinnant counts them ("chrono-compatible low-level date algorithms"): from
 * March. */
void oci_time(char ret[40]) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  const int64_t days = t.tv_sec / 86400 + 719468, seconds = t.tv_sec % 86400;
  const int64_t era = days / 146097, day_of_era = days % 146097;
  const int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100), m = (5 * day_of_year + 2) / 153;
  const int month = (int)(m < 10 ? m + 3 : m - 9);
  char text[128];
  snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", (int)(year + era * 400 + (month <= 2)), month,
           (int)(day_of_year - (153 * m + 2) / 5 + 1), (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60), t.tv_nsec);
  snprintf(ret, 40, "%.39s", text);
}
