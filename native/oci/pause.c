/* podrt pause and resume, as OCI engines call them. */
#include "state.h"
#include "verbs.h"

static int set_frozen(const struct oci_global *g, int argc, char **argv, bool frozen) {
  struct oci_container c = {.dir = -1};
  struct err err;
  if (argc != 2 || argv[1][0] == '-') {
    err_set(&err, 0, "usage", "podrt %s ID", argv[0]);
    return oci_fail(g, &err);
  }
  cleanup_fd int root = oci_root_open(g->root, false, &err);
  int r = oci_container_open(root, argv[1], &c, &err);
  if (r == 0) {
    const enum oci_status status = oci_container_status(&c);
    const bool fits = frozen ? status == OCI_RUNNING || status == OCI_CREATED
                             : status == OCI_PAUSED || (status == OCI_CREATED && oci_cgroup_is_frozen(&c.cgroup));
    if (!fits)
      r = err_set(&err, 0, argv[0], "container \"%s\" is %s, not %s", c.id, oci_status_name(status), frozen ? "running" : "paused");
  }
  if (r == 0) r = oci_cgroup_freeze(&c.cgroup, frozen, &err);
  if (r < 0) oci_fail(g, &err);
  oci_container_free(&c);
  return r < 0;
}

int oci_pause(const struct oci_global *g, int argc, char **argv) {
  return set_frozen(g, argc, argv, true);
}

int oci_resume(const struct oci_global *g, int argc, char **argv) {
  return set_frozen(g, argc, argv, false);
}
