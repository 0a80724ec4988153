/* An OCI config.json, its mounts' options, and the system call filter it asks for. */
#include "json_mutate.h"
#include "oci/mounts_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct oci_spec spec;
  struct err err = {0};
  struct oci_filter filter = {0};
  if (oci_spec_parse((const char *)data, size, &spec, &err) < 0) {
    PROMISE(err.what[0]);
    return 0;
  }
  PROMISE(spec.root_path && (!spec.has_process || (spec.process.args[0] && spec.process.cwd[0] == '/')));
  for (size_t i = 0; i < spec.n_mounts; i++) {
    struct oci_mount_plan plan;
    PROMISE(spec.mounts[i].destination[0] == '/' && spec.mounts[i].options);
    if (oci_plan_parse(&spec.mounts[i], "", &plan, &err) < 0) continue;
    PROMISE(plan.path[0] == '/' && !strstr(plan.path, "/../") && !strstr(plan.path, "//"));
    oci_plan_free(&plan);
  }
  if (spec.has_seccomp) {
    if (oci_filter_make(&spec.seccomp, -1, &filter, &err) == 0) oci_filter_free(&filter);
  }
  oci_spec_free(&spec);
  return 0;
}
