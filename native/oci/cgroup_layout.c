/* Which hierarchies of cgroups this machine has: see cgroup_layout.h, cgroups(7) and proc_pid_mountinfo(5). */
#include "cgroup_layout.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

enum { TEXT_MAX = 4 * 1024 * 1024 };

static const char *const names[CG_CONTROLLERS] = {"cpu",     "cpuset",  "memory",   "io",         "pids",
                                                  "hugetlb", "rdma",    "misc",     "cpuacct",    "devices",
                                                  "freezer", "net_cls", "net_prio", "perf_event", "name=systemd"};

const char *cg_controller_name(enum cg_controller c, bool v2) {
  return c == CG_IO && !v2 ? "blkio" : names[c];
}

static unsigned bit_of(const char *name, size_t len) {
  for (unsigned i = 0; i < CG_CONTROLLERS; i++)
    if (strlen(names[i]) == len && !strncmp(names[i], name, len)) return 1u << i;
  return len == 5 && !strncmp(name, "blkio", 5) ? 1u << CG_IO : 0;
}

unsigned cg_controllers_parse(const char *list, const char *separators) {
  unsigned bits = 0;
  for (const char *p = list; *p;) {
    size_t len = strcspn(p, separators);
    bits |= bit_of(p, len);
    p += len;
    p += strspn(p, separators);
  }
  return bits;
}

/* --- mounts --- */

/* "\040" for a space: what mountinfo does to white space and backslashes. */
static void unescape(char *s) {
  char *to = s;
  for (const char *p = s; *p; p++) {
    unsigned value;
    if (*p == '\\' && sscanf(p + 1, "%3o", &value) == 1 && strspn(p + 1, "01234567") >= 3) {
      *to++ = (char)value;
      p += 3;
    } else {
      *to++ = *p;
    }
  }
  *to = 0;
}

static int add(struct cg_layout *l, bool v2, unsigned controllers, const char *mount, const char *root) {
  /* Mounted twice: the first is the one that everybody uses. */
  for (size_t i = 0; i < l->n; i++)
    if (l->h[i].v2 == v2 && l->h[i].controllers == controllers) return 0;
  if (l->n == CG_HIERARCHIES) return 0;
  struct cg_hierarchy *h = &l->h[l->n];
  *h = (struct cg_hierarchy){.v2 = v2, .controllers = controllers, .mount = strdup(mount), .root = strdup(root)};
  if (v2) l->v2 = (int)l->n;
  l->n++;
  return h->mount && h->root ? 0 : -ENOMEM;
}

/* ID PARENT MAJ:MIN ROOT MOUNT OPTIONS [FIELDS] - TYPE SOURCE SUPEROPTIONS */
static int read_line(struct cg_layout *l, char *line) {
  char *fields[5], *save = NULL, *rest = strstr(line, " - ");
  if (!rest) return 0;
  *rest = 0;
  for (size_t i = 0; i < N_ELEMENTS(fields); i++)
    if (!(fields[i] = strtok_r(i ? NULL : line, " ", &save))) return 0;
  char *type = strtok_r(rest + 3, " ", &save), *source = type ? strtok_r(NULL, " ", &save) : NULL;
  char *options = source ? strtok_r(NULL, " ", &save) : NULL;
  if (!options || (strcmp(type, "cgroup") && strcmp(type, "cgroup2"))) return 0;
  unescape(fields[3]);
  unescape(fields[4]);
  if (!strcmp(type, "cgroup2")) return add(l, true, 0, fields[4], fields[3]);
  unsigned bits = cg_controllers_parse(options, ",");
  /* Named hierarchies of others are none of a container's business. */
  return bits ? add(l, false, bits, fields[4], fields[3]) : 0;
}

int cg_layout_parse(const char *mountinfo, struct cg_layout *ret) {
  *ret = (struct cg_layout){.v2 = -1};
  cleanup_free char *text = strdup(mountinfo);
  char *save = NULL;
  if (!text) return -ENOMEM;
  for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    int r = read_line(ret, line);
    if (r < 0) return r;
  }
  ret->unified = ret->n == 1 && ret->v2 == 0;
  return 0;
}

void cg_layout_free(struct cg_layout *l) {
  for (size_t i = 0; i < l->n; i++) {
    free(l->h[i].mount);
    free(l->h[i].root);
  }
  *l = (struct cg_layout){.v2 = -1};
}

static int find(struct cg_layout *ret) {
  struct statfs fs;
  if (statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
    *ret = (struct cg_layout){.v2 = -1, .unified = true};
    return add(ret, true, 0, "/sys/fs/cgroup", "/");
  }
  cleanup_free char *text = NULL;
  int r = read_file_at(AT_FDCWD, "/proc/self/mountinfo", TEXT_MAX, &text, NULL);
  return r < 0 ? r : cg_layout_parse(text, ret);
}

int cg_layout(const struct cg_layout **ret, struct err *err) {
  static struct cg_layout layout;
  static bool known;
  int r = known ? 0 : find(&layout);
  if (r < 0) {
    cg_layout_free(&layout);
    return err_set(err, -r, "cgroup", "/proc/self/mountinfo");
  }
  known = true;
  *ret = &layout;
  return 0;
}

/* --- processes --- */

char *cg_path_parse(const char *text, const struct cg_hierarchy *h) {
  for (const char *line = text; *line;) {
    size_t len = strcspn(line, "\n");
    cleanup_free char *copy = strndup(line, len);
    char *list = copy ? strchr(copy, ':') : NULL, *path = list ? strchr(list + 1, ':') : NULL;
    line += len + (line[len] == '\n');
    if (!path) continue;
    *path++ = 0;
    if (h->v2 ? list[1] != 0 : (cg_controllers_parse(list + 1, ",") & h->controllers) == 0) continue;
    /* Below what is mounted: a container may see "/docker/ID" of a hierarchy of which "/docker/ID" is mounted. */
    size_t n = strcmp(h->root, "/") ? strlen(h->root) : 0;
    if (n && !strncmp(path, h->root, n) && (path[n] == '/' || !path[n])) path += n;
    /* "/../x": outside our cgroup namespace. */
    return !strncmp(path, "/..", 3) ? NULL : strdup(*path ? path : "/");
  }
  return NULL;
}

char *cg_path_of(const struct cg_layout *l, size_t h, pid_t pid) {
  cleanup_free char *text = NULL;
  char file[32] = "/proc/self/cgroup";
  if (pid) snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid);
  return read_file_at(AT_FDCWD, file, TEXT_MAX, &text, NULL) < 0 ? NULL : cg_path_parse(text, &l->h[h]);
}
