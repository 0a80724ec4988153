/* Options of an OCI mount, as a table: see mounts_plan.h and runtime-spec config.md, "Linux mount options". */
#include "mounts_plan.h"

enum kind { SET, CLEAR, ATIME, PROPAGATION, SUPER, SUPER_CLEAR, FLAG, NOTHING };

#define PLAN(member) offsetof(struct oci_mount_plan, member)

/* `again`: there is the same with an r in front, for all mounts below. */
static const struct {
  const char *name;
  enum kind kind;
  uint64_t value;
  bool again;
} table[] = {
    {"ro", SET, MOUNT_ATTR_RDONLY, true},
    {"rw", CLEAR, MOUNT_ATTR_RDONLY, true},
    {"nosuid", SET, MOUNT_ATTR_NOSUID, true},
    {"suid", CLEAR, MOUNT_ATTR_NOSUID, true},
    {"nodev", SET, MOUNT_ATTR_NODEV, true},
    {"dev", CLEAR, MOUNT_ATTR_NODEV, true},
    {"noexec", SET, MOUNT_ATTR_NOEXEC, true},
    {"exec", CLEAR, MOUNT_ATTR_NOEXEC, true},
    {"nodiratime", SET, MOUNT_ATTR_NODIRATIME, true},
    {"diratime", CLEAR, MOUNT_ATTR_NODIRATIME, true},
    {"nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW, true},
    {"symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW, true},
    /* One field of three values (mount_setattr(2)); relatime has been the kernel's default since 2.6.30, so it is what "not" means. */
    {"relatime", ATIME, MOUNT_ATTR_RELATIME, true},
    {"noatime", ATIME, MOUNT_ATTR_NOATIME, true},
    {"strictatime", ATIME, MOUNT_ATTR_STRICTATIME, true},
    {"atime", ATIME, MOUNT_ATTR_RELATIME, true},
    {"nostrictatime", ATIME, MOUNT_ATTR_RELATIME, true},
    {"norelatime", NOTHING, 0, true},
    {"private", PROPAGATION, MS_PRIVATE, true},
    {"shared", PROPAGATION, MS_SHARED, true},
    {"slave", PROPAGATION, MS_SLAVE, true},
    {"unbindable", PROPAGATION, MS_UNBINDABLE, true},
    {"sync", SUPER, MS_SYNCHRONOUS, false},
    {"async", SUPER_CLEAR, MS_SYNCHRONOUS, false},
    {"dirsync", SUPER, MS_DIRSYNC, false},
    {"lazytime", SUPER, MS_LAZYTIME, false},
    {"nolazytime", SUPER_CLEAR, MS_LAZYTIME, false},
    {"mand", SUPER, MS_MANDLOCK, false},
    {"nomand", SUPER_CLEAR, MS_MANDLOCK, false},
    {"iversion", SUPER, MS_I_VERSION, false},
    {"noiversion", SUPER_CLEAR, MS_I_VERSION, false},
    {"silent", SUPER, MS_SILENT, false},
    {"loud", SUPER_CLEAR, MS_SILENT, false},
    {"bind", FLAG, PLAN(bind), false},
    {"remount", FLAG, PLAN(remount), false},
    {"tmpcopyup", FLAG, PLAN(copy_up), false},
    {"copy-symlink", FLAG, PLAN(copy_symlink), false},
    {"src-nofollow", FLAG, PLAN(source_nofollow), false},
    {"dest-nofollow", FLAG, PLAN(target_nofollow), false},
    {"idmap", FLAG, PLAN(id_mapped), false},
    {"defaults", NOTHING, 0, false},
    /* mount(8)'s own, which say when somebody mounts, and never reach a file system. */
    {"auto", NOTHING, 0, false},
    {"noauto", NOTHING, 0, false},
    {"nofail", NOTHING, 0, false},
    {"nouser", NOTHING, 0, false},
    {"_netdev", NOTHING, 0, false},
};

bool oci_mount_option(size_t i, char ret[32]) {
  static const char *const own[] = {"rbind", "ridmap"}; /* take_own */
  for (size_t k = 0; k < N_ELEMENTS(table); k++)
    for (int again = 0; again <= (table[k].again ? 1 : 0); again++)
      if (i-- == 0) {
        snprintf(ret, 32, "%s%s", again ? "r" : "", table[k].name);
        return true;
      }
  if (i < N_ELEMENTS(own)) snprintf(ret, 32, "%s", own[i]);
  return i < N_ELEMENTS(own);
}

static void set_attr(uint64_t *set, uint64_t *clear, uint64_t value) {
  *set |= value;
  *clear &= ~value;
}

/* The last word counts. */
static bool take_word(struct oci_mount_plan *plan, const char *word, bool again) {
  for (size_t i = 0; i < N_ELEMENTS(table); i++) {
    if (strcmp(word, table[i].name) || (again && !table[i].again)) continue;
    uint64_t *set = again ? &plan->recursive_set : &plan->set, *clear = again ? &plan->recursive_clear : &plan->clear;
    switch (table[i].kind) {
      case SET:
        set_attr(set, clear, table[i].value);
        break;
      case CLEAR:
        set_attr(clear, set, table[i].value);
        break;
      case ATIME:
        *set = (*set & ~(uint64_t)MOUNT_ATTR__ATIME) | table[i].value;
        *clear |= MOUNT_ATTR__ATIME;
        break;
      case PROPAGATION:
        plan->propagation = table[i].value;
        plan->propagation_recursive = again;
        break;
      case SUPER:
        plan->super |= table[i].value;
        break;
      case SUPER_CLEAR:
        plan->super &= ~table[i].value;
        break;
      case FLAG:
        *(bool *)((char *)plan + table[i].value) = true;
        break;
      case NOTHING:
        break;
    }
    return true;
  }
  return false;
}

static bool take_own(struct oci_mount_plan *plan, const char *word) {
  if (!strcmp(word, "rbind")) return plan->bind = plan->recursive = true;
  const bool again = !strncmp(word, "ridmap", 6);
  if (again || !strncmp(word, "idmap=", 6)) {
    const char *rest = word + 5 + again;
    if (*rest && *rest != '=') return false;
    plan->id_mapped = true;
    plan->id_mapped_recursive = again;
    if (*rest) plan->id_map = rest + 1;
    return true;
  }
  return (word[0] == 'r' && take_word(plan, word + 1, true)) || !strncasecmp(word, "x-", 2);
}

/* `key=value` is taken apart into a copy, which the first pointer owns. */
static int take_data(struct oci_mount_plan *plan, const char *word) {
  char *key = strdup(word);
  if (!key) return -ENOMEM;
  char *value = strchr(key, '=');
  if (value) *value++ = 0;
  plan->data[plan->n_data++] = (struct mount_param){.key = key, .value = value};
  return 0;
}

int oci_plan_parse(const struct oci_mount *mount, const char *bundle, struct oci_mount_plan *ret, struct err *err) {
  struct oci_mount_plan plan = {.path = oci_path_clean(mount->destination)};
  size_t n = 0;
  while (mount->options[n]) n++;
  plan.data = calloc(n + 1, sizeof *plan.data);
  int r = plan.path && plan.data ? 0 : -ENOMEM;
  for (size_t i = 0; r == 0 && i < n; i++)
    if (*mount->options[i] && !take_word(&plan, mount->options[i], false) && !take_own(&plan, mount->options[i]))
      r = take_data(&plan, mount->options[i]);
  /* "bind" is no file system; some write it as the type and leave the option away. */
  if (mount->type && !strcmp(mount->type, "bind")) plan.bind = true;
  if (mount->n_uid_map || mount->n_gid_map) plan.id_mapped = true;
  if (r < 0)
    err_set(err, -r, "mount", "%s", mount->destination);
  else if (!mount->type && !plan.bind && !plan.remount)
    r = err_set(err, 0, "mount", "%s: neither a type nor a bind mount", mount->destination);
  else if (plan.bind && !plan.remount && !mount->source)
    r = err_set(err, 0, "mount", "%s: a bind mount has a source", mount->destination);
  else if (plan.bind && mount->source && !(plan.source = xformat("%s%s", *mount->source == '/' ? "" : bundle, mount->source)))
    r = err_set(err, ENOMEM, "mount", "%s", mount->destination);
  else if (plan.copy_up && (plan.bind || strcmp(mount->type, "tmpfs")))
    r = err_set(err, 0, "mount", "%s: tmpcopyup is for tmpfs", mount->destination);
  else if (plan.copy_symlink && (plan.source_nofollow || plan.target_nofollow))
    r = err_set(err, 0, "mount", "%s: copy-symlink excludes src-nofollow and dest-nofollow", mount->destination);
  if (r < 0)
    oci_plan_free(&plan);
  else
    *ret = plan;
  return r;
}

void oci_plan_free(struct oci_mount_plan *plan) {
  for (size_t i = 0; i < plan->n_data; i++) free((char *)plan->data[i].key);
  free(plan->data);
  free(plan->path);
  free(plan->source);
  *plan = (struct oci_mount_plan){0};
}

char *oci_path_clean(const char *path) {
  char *out = malloc(strlen(path) + 2);
  size_t len = 0;
  if (!out) return NULL;
  for (const char *p = path; *(p += strspn(p, "/"));) {
    const size_t part = strcspn(p, "/");
    if (part == 2 && !memcmp(p, "..", 2)) {
      while (len && out[--len] != '/') continue;
    } else if (!(part == 1 && *p == '.')) {
      out[len++] = '/';
      memcpy(out + len, p, part);
      len += part;
    }
    p += part;
  }
  if (!len) out[len++] = '/';
  out[len] = 0;
  return out;
}

static int set_attributes(int mount, uint64_t set, uint64_t clear, uint64_t propagation, bool recursive) {
  struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  if (!set && !clear && !propagation) return 0;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  if (mount_setattr(mount, "", flags, &attr, sizeof attr) == 0) return 0;
  if (errno != EPERM) return -errno;
  /*
   * A user namespace may not lift what its origin has imposed (mount_namespaces(7), "locked"), nor change its access times. What the
   * container gets then is less than was asked for, never more.
   */
  attr.attr_clr = 0;
  attr.attr_set &= ~(uint64_t)MOUNT_ATTR__ATIME;
  return mount_setattr(mount, "", flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

int oci_plan_apply(const struct oci_mount_plan *plan, int mount) {
  /* Unless it is said otherwise, nothing of the host's comes after, as the field has it. */
  const uint64_t propagation = plan->propagation ? plan->propagation : MS_PRIVATE;
  if (!plan->recursive)
    return set_attributes(mount, plan->set | plan->recursive_set, plan->clear | plan->recursive_clear, propagation, false);
  const bool all = !plan->propagation || plan->propagation_recursive || plan->propagation == MS_PRIVATE;
  int r = set_attributes(mount, plan->recursive_set, plan->recursive_clear, all ? propagation : 0, true);
  return r < 0 ? r : set_attributes(mount, plan->set, plan->clear, all ? 0 : propagation, false);
}
