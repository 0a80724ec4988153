/* Where a container's cgroup is to be: see cgroup_path.h. */
#include "cgroup_path.h"

/* --- folders --- */

char *cg_path_clean(const char *path, bool *ret_bad) {
  char *clean = malloc(strlen(path) + 2), *to = clean;
  *ret_bad = false;
  if (!clean) return NULL;
  for (const char *p = path; *p;) {
    size_t len = strcspn(p, "/");
    if (len == 2 && !strncmp(p, "..", 2)) *ret_bad = true;
    for (size_t i = 0; i < len; i++)
      if ((unsigned char)p[i] < ' ' || p[i] == 127) *ret_bad = true;
    if (len && !(len == 1 && *p == '.')) {
      *to++ = '/';
      memcpy(to, p, len);
      to += len;
    }
    p += len + (p[len] == '/');
  }
  if (to == clean) *to++ = '/';
  *to = 0;
  if (!*ret_bad) return clean;
  free(clean);
  return NULL;
}

char *cg_path_parent(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash && slash != path ? strndup(path, (size_t)(slash - path)) : strdup("/");
}

/* --- systemd's names --- */

/* What systemd.unit(5) allows in a unit's name. */
static bool unit_ok(const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
  return *name && !name[strspn(name, allowed)] && strlen(name) < 256;
}

/* "a-b.slice" is below "a.slice": no dash may be without a name on either side; "-.slice" is the root. */
static bool slice_ok(const char *name) {
  size_t len = strlen(name);
  if (!unit_ok(name) || len < 7 || strcmp(name + len - 6, ".slice")) return false;
  if (!strcmp(name, "-.slice")) return true;
  for (size_t i = 0; i < len - 6; i++)
    if (name[i] == '-' && (i == 0 || name[i - 1] == '-' || i + 1 == len - 6)) return false;
  return true;
}

int cg_scope_parse(const char *cgroups_path, const char *id, char **ret_slice, char **ret_scope, struct err *err) {
  const char *colon = cgroups_path ? strchr(cgroups_path, ':') : NULL, *second = colon ? strchr(colon + 1, ':') : NULL;
  cleanup_free char *slice = NULL, *scope = NULL;
  if (cgroups_path && *cgroups_path) {
    if (!second) return err_set(err, 0, "cgroup", "cgroupsPath %s: expected \"slice:prefix:name\" for systemd", cgroups_path);
    slice = strndup(cgroups_path, (size_t)(colon - cgroups_path));
    const int prefix = (int)(second - colon - 1);
    scope = xformat("%.*s%s%s.scope", prefix, colon + 1, prefix ? "-" : "", second + 1);
  } else {
    slice = strdup("");
    scope = xformat("podrt-%s.scope", id);
  }
  if (!slice || !scope) return err_set(err, ENOMEM, "cgroup", "%s", id);
  if (*slice && !slice_ok(slice)) return err_set(err, 0, "cgroup", "cgroupsPath %s: \"%s\" is no slice of systemd", cgroups_path, slice);
  if (!unit_ok(scope)) return err_set(err, 0, "cgroup", "\"%s\" is no name of a unit of systemd", scope);
  *ret_slice = slice;
  *ret_scope = scope;
  slice = scope = NULL;
  return 0;
}
