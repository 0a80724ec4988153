/* Options of a bundle's mounts: see mountopt.h. */
#include "mountopt.h"

#include "number.h"

enum kind { ATTR, RATTR, NOTHING, PROPAGATION, RBIND, MKDIR, GROUP_ALWAYS, GROUP_READS };

/*
 * OCI runtime-spec, config.md "mounts", and mount(8). Words that only take a restriction away (rw, suid, dev, exec) do nothing: a new
 * mount has none, and one that is bound keeps what its origin has, which a user namespace could not lift anyway.
 */
static const struct {
  const char *name;
  enum kind kind;
  uint64_t value;
} table[] = {
    {"ro", ATTR, MOUNT_ATTR_RDONLY},
    {"nosuid", ATTR, MOUNT_ATTR_NOSUID},
    {"nodev", ATTR, MOUNT_ATTR_NODEV},
    {"noexec", ATTR, MOUNT_ATTR_NOEXEC},
    {"noatime", ATTR, MOUNT_ATTR_NOATIME},
    {"strictatime", ATTR, MOUNT_ATTR_STRICTATIME},
    {"nodiratime", ATTR, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", ATTR, MOUNT_ATTR_NOSYMFOLLOW},
    {"rro", RATTR, MOUNT_ATTR_RDONLY},
    {"rnosuid", RATTR, MOUNT_ATTR_NOSUID},
    {"rnodev", RATTR, MOUNT_ATTR_NODEV},
    {"rnoexec", RATTR, MOUNT_ATTR_NOEXEC},
    {"rnosymfollow", RATTR, MOUNT_ATTR_NOSYMFOLLOW},
    {"rw", NOTHING, 0},
    {"suid", NOTHING, 0},
    {"dev", NOTHING, 0},
    {"exec", NOTHING, 0},
    {"relatime", NOTHING, 0},
    {"atime", NOTHING, 0},
    {"diratime", NOTHING, 0},
    {"symfollow", NOTHING, 0},
    {"async", NOTHING, 0},
    {"defaults", NOTHING, 0},
    {"bind", NOTHING, 0},
    {"rbind", RBIND, 0},
    {"private", PROPAGATION, MS_PRIVATE},
    {"rprivate", PROPAGATION, MS_PRIVATE},
    {"slave", PROPAGATION, MS_SLAVE},
    {"rslave", PROPAGATION, MS_SLAVE},
    {"unbindable", PROPAGATION, MS_UNBINDABLE},
    {"runbindable", PROPAGATION, MS_UNBINDABLE},
    {"x-podgen.mkdir", MKDIR, 0},
    {"x-podgen.group-always", GROUP_ALWAYS, 0},
    {"x-podgen.group-reads", GROUP_READS, 0},
    {"x-podgen.memory", NOTHING, 0}, /* memoryfs.c has put it at the source */
};

static const char *const types[] = {
    [SOURCE_ANY] = "",
    [SOURCE_DIRECTORY] = "Directory",
    [SOURCE_DIRECTORY_OR_CREATE] = "DirectoryOrCreate",
    [SOURCE_FILE] = "File",
    [SOURCE_FILE_OR_CREATE] = "FileOrCreate",
    [SOURCE_SOCKET] = "Socket",
    [SOURCE_CHAR_DEVICE] = "CharDevice",
    [SOURCE_BLOCK_DEVICE] = "BlockDevice",
};

const char *mountopt_type_name(enum source_type type) {
  return types[type];
}

static bool take_word(struct mountopt *opt, const char *word) {
  for (size_t i = 0; i < N_ELEMENTS(table); i++) {
    if (strcmp(word, table[i].name)) continue;
    switch (table[i].kind) {
      case ATTR:
        if (table[i].value & MOUNT_ATTR__ATIME) opt->attrs &= ~(uint64_t)MOUNT_ATTR__ATIME;
        opt->attrs |= table[i].value;
        break;
      case RATTR:
        opt->recursive_attrs |= table[i].value;
        break;
      case PROPAGATION:
        opt->propagation = table[i].value;
        break;
      case RBIND:
        opt->recursive = true;
        break;
      case MKDIR:
        opt->make_source = true;
        break;
      case GROUP_ALWAYS:
        opt->group_always = true;
        break;
      case GROUP_READS:
        opt->group_reads = true;
        break;
      case NOTHING:
        break;
    }
    return true;
  }
  return false;
}

/* UID:GID, below UINT32_MAX, which is no id. */
static int take_owner(struct mountopt *opt, const char *text) {
  uint64_t uid, gid;
  const char *colon = strchr(text, ':');
  cleanup_free char *first = colon ? strndup(text, (size_t)(colon - text)) : NULL;
  if (!first || number_parse(first, false, 0, UINT32_MAX - 1, &uid) < 0 || number_parse(colon + 1, false, 0, UINT32_MAX - 1, &gid) < 0)
    return -EINVAL;
  opt->owned = true;
  opt->uid = (uint32_t)uid;
  opt->gid = (uint32_t)gid;
  return 0;
}

static int take_group(struct mountopt *opt, const char *digits, struct err *err) {
  uint64_t gid;
  if (number_parse(digits, false, 0, INT32_MAX, &gid) == 0) {
    opt->group = (int64_t)gid;
    return 0;
  }
  return err_set(err, 0, "mount option", "x-podgen.group=%s: expected a group id", digits);
}

static int take_own(struct mountopt *opt, const char *word, struct err *err) {
  static const char type[] = "x-podgen.type=", sub[] = "x-podgen.subpath=", group[] = "x-podgen.group=", owner[] = "x-podgen.owner=";
  if (!strncmp(word, owner, sizeof owner - 1) && take_owner(opt, word + sizeof owner - 1) == 0) return 0;
  if (!strncmp(word, group, sizeof group - 1)) return take_group(opt, word + sizeof group - 1, err);
  if (!strncmp(word, sub, sizeof sub - 1) && word[sizeof sub - 1]) {
    opt->sub_path = word + sizeof sub - 1;
    return 0;
  }
  if (!strncmp(word, type, sizeof type - 1))
    for (size_t i = 1; i < N_ELEMENTS(types); i++)
      if (!strcmp(word + sizeof type - 1, types[i])) {
        opt->type = (enum source_type)i;
        return 0;
      }
  return err_set(err, 0, "mount option", "%s: unknown", word);
}

/* `key=value` is taken apart into a copy, which the first pointer owns. */
static int take_data(struct mountopt *opt, const char *word) {
  char *key = strdup(word);
  if (!key) return -ENOMEM;
  char *value = strchr(key, '=');
  if (value) *value++ = 0;
  opt->data[opt->n_data++] = (struct mount_param){.key = key, .value = value};
  return 0;
}

int mountopt_parse(const char *const *options, bool has_data, struct mountopt *ret, struct err *err) {
  struct mountopt opt = {.propagation = MS_PRIVATE, .group = -1};
  size_t n = 0;
  int r = 0;
  while (options[n]) n++;
  if (has_data && !(opt.data = calloc(n + 1, sizeof *opt.data))) return err_set(err, ENOMEM, "mount option", "%s", "");
  for (size_t i = 0; r == 0 && i < n; i++) {
    if (take_word(&opt, options[i])) continue;
    if (!strncmp(options[i], "x-podgen.", 9))
      r = take_own(&opt, options[i], err);
    else if (!has_data)
      r = err_set(err, 0, "mount option", "%s: unknown", options[i]);
    else if ((r = take_data(&opt, options[i])) < 0)
      err_set(err, -r, "mount option", "%s", options[i]);
  }
  if (r < 0)
    mountopt_free(&opt);
  else
    *ret = opt;
  return r;
}

void mountopt_free(struct mountopt *opt) {
  for (size_t i = 0; i < opt->n_data; i++) free((char *)opt->data[i].key);
  free(opt->data);
  *opt = (struct mountopt){0};
}
