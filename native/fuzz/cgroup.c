/* Where cgroups are: MOUNTINFO NUL CGROUP (of /proc) NUL PATH (linux.cgroupsPath). */
#include "fuzz.h"
#include "oci/cgroup_layout.h"
#include "oci/cgroup_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_free char *mountinfo = fuzz_part(&data, &size), *own = fuzz_part(&data, &size), *wish = fuzz_part(&data, &size);
  cleanup_free char *slice = NULL, *scope = NULL;
  struct cg_layout layout = {0};
  struct err err = {0};
  bool bad = false;
  if (cg_layout_parse(mountinfo, &layout) == 0) {
    for (size_t i = 0; i < layout.n; i++) free(cg_path_parse(own, &layout.h[i]));
    cg_layout_free(&layout);
  }
  cleanup_free char *clean = cg_path_clean(wish, &bad);
  PROMISE(!clean || (clean[0] == '/' && !strstr(clean, "//") && !strstr(clean, "/../")));
  if (clean) {
    cleanup_free char *parent = cg_path_parent(clean);
    PROMISE(!parent || parent[0] == '/');
  }
  if (cg_scope_parse(wish, "id", &slice, &scope, &err) == 0) PROMISE(slice && scope && !strchr(scope, '/'));
  return 0;
}
