/* A container's cgroup in its state file: see cgroup.h. */
#include "cgroup.h"
#include "cgroup_path.h"
#include "lib/jsonget.h"

static const char *const managers[] = {"cgroupfs", "systemd", "disabled"};

json_t *oci_cgroup_to_json(const struct oci_cgroup *cg) {
  return json_pack("{s:s, s:b, s:s*, s:s*}", "manager", managers[cg->manager], "unified", cg->unified, "path", cg->path, "scope",
                   cg->scope);
}

static int copy(const json_t *tree, const char *key, char **ret, struct err *err) {
  const char *text = NULL;
  int r = json_get_string(tree, "cgroup", key, false, &text, err);
  if (r < 0 || !text) return r;
  *ret = strdup(text);
  return *ret ? 0 : err_set(err, ENOMEM, "state.json", "cgroup.%s", key);
}

int oci_cgroup_from_json(const json_t *tree, struct oci_cgroup *ret, struct err *err) {
  struct oci_cgroup cg = {0};
  const char *manager = "";
  size_t i = 0;
  int r = json_get_string(tree, "cgroup", "manager", true, &manager, err);
  while (r == 0 && i < N_ELEMENTS(managers) && strcmp(manager, managers[i])) i++;
  if (r == 0 && i == N_ELEMENTS(managers)) r = err_set(err, 0, "state.json", "cgroup.manager: %s", manager);
  if (r == 0) r = json_get_bool(tree, "cgroup", "unified", &cg.unified, err);
  if (r == 0) r = copy(tree, "path", &cg.path, err);
  if (r == 0) r = copy(tree, "scope", &cg.scope, err);
  /* What removes folders and kills goes by it. */
  bool bad = false;
  cleanup_free char *clean = cg.path ? cg_path_clean(cg.path, &bad) : NULL;
  if (r == 0 && cg.path && (!clean || strcmp(clean, cg.path) || !strcmp(clean, "/")))
    r = err_set(err, 0, "state.json", "cgroup.path: %s", cg.path);
  if (r < 0) {
    oci_cgroup_free(&cg);
    return r;
  }
  cg.manager = (enum oci_cgroup_manager)i;
  *ret = cg;
  return 0;
}
