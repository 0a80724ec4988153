/* What a process of an OCI configuration may: capabilities, limits, labels, no_new_privs; see spec.h. */
#include <sys/resource.h>

#include "lib/rlimits.h"
#include "spec_read.h"

static int read_caps(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  const struct {
    const char *key;
    uint64_t *set;
  } sets[] = {{"bounding", &p->caps.bounding},
              {"effective", &p->caps.effective},
              {"permitted", &p->caps.permitted},
              {"inheritable", &p->caps.inheritable},
              {"ambient", &p->caps.ambient}};
  json_t *caps = NULL;
  char path[JSON_AT_MAX];
  int r = json_get(tree, at, "capabilities", JSON_OBJECT, false, &caps, err);
  if (r < 0 || !caps) return r;
  json_at(path, at, "capabilities");
  p->has_caps = true;
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(sets); i++) {
    cleanup_free const char **names = NULL;
    r = json_get_strings(caps, path, sets[i].key, OCI_LIST_MAX, &names, NULL, err);
    for (size_t k = 0; r == 0 && names && names[k]; k++) {
      int number = cap_number(names[k]);
      /*
       * Up to runtime-spec 1.0 a name that is no capability MUST be an error, from 1.1 on a warning. It is refused: whoever wrote it did
       * not get what they wrote. A known one that this kernel has not, or that is not ours to give, is the business of who puts them on.
       */
      if (number < 0) return err_set(err, 0, "bundle", "%s.%s[%zu]: unknown capability %.64s", path, sets[i].key, k, names[k]);
      *sets[i].set |= 1ull << number;
    }
  }
  return r;
}

/* -1 is what some writers have for RLIM_INFINITY, 2^64-1. */
static int read_limit(const json_t *item, const char *at, const char *key, uint64_t *ret, struct err *err) {
  const json_t *value = json_object_get(item, key);
  if (json_is_integer(value) && json_integer_value(value) == -1) {
    *ret = RLIM_INFINITY;
    return 0;
  }
  int r = oci_required(item, at, key, err);
  return r < 0 ? r : json_get_uint64(item, at, key, UINT64_MAX, ret, err);
}

static int read_rlimit(const json_t *item, const char *at, void *element, struct err *err) {
  struct oci_rlimit *limit = element;
  const char *type = NULL;
  int r = json_get_string(item, at, "type", true, &type, err);
  if (r == 0 && (limit->resource = rlimit_number(type)) < 0) return err_set(err, 0, "bundle", "%s.type: unknown limit %.64s", at, type);
  if (r == 0) r = read_limit(item, at, "soft", &limit->soft, err);
  if (r == 0) r = read_limit(item, at, "hard", &limit->hard, err);
  return r == 0 && limit->soft > limit->hard ? err_set(err, 0, "bundle", "%s.soft: above the hard limit", at) : r;
}

static int read_rlimits(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  enum { RLIMITS_MAX = 256 };
  char path[JSON_AT_MAX];
  int r = oci_read_list(tree, at, "rlimits", RLIMITS_MAX, sizeof *p->rlimits, read_rlimit, &p->rlimits, &p->n_rlimits, err);
  json_at(path, at, "rlimits");
  for (size_t i = 0; r == 0 && i < p->n_rlimits; i++)
    for (size_t k = 0; k < i; k++)
      if (p->rlimits[i].resource == p->rlimits[k].resource)
        return err_set(err, 0, "bundle", "%s[%zu].type: listed twice", path, i); /* config.md, "POSIX process" */
  return r;
}

int oci_read_rights(const json_t *tree, const char *at, struct oci_process *p, struct err *err) {
  int64_t oom = INT64_MIN;
  int r = read_caps(tree, at, p, err);
  if (r == 0) r = read_rlimits(tree, at, p, err);
  if (r == 0) r = json_get_bool(tree, at, "noNewPrivileges", &p->no_new_privs, err);
  if (r == 0) r = json_get_int(tree, at, "oomScoreAdj", -1000, 1000, &oom, err);
  if (r == 0) r = oci_read_text(tree, at, "apparmorProfile", &p->apparmor, err);
  if (r == 0) r = oci_read_text(tree, at, "selinuxLabel", &p->selinux, err);
  p->has_oom = oom != INT64_MIN;
  if (p->has_oom) p->oom_score_adj = (int)oom;
  return r;
}
