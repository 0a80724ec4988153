/* hooks of an OCI configuration: see spec.h. */
#include "spec_read.h"

static const char *const points[OCI_HOOK_POINTS] = {
    [OCI_PRESTART] = "prestart",
    [OCI_CREATE_RUNTIME] = "createRuntime",
    [OCI_CREATE_CONTAINER] = "createContainer",
    [OCI_START_CONTAINER] = "startContainer",
    [OCI_POSTSTART] = "poststart",
    [OCI_POSTSTOP] = "poststop",
};

const char *oci_hook_name(enum oci_hook_point point) {
  return points[point];
}

static int read_hook(const json_t *item, const char *at, void *element, struct err *err) {
  struct oci_hook *hook = element;
  size_t n = 0;
  int r = oci_read_path(item, at, "path", &hook->path, err);
  if (r == 0) r = json_get_strings(item, at, "args", OCI_LIST_MAX, &hook->args, &n, err);
  if (r == 0) r = json_get_strings(item, at, "env", OCI_LIST_MAX, &hook->env, NULL, err);
  if (r == 0) r = json_get_int(item, at, "timeout", 1, INT32_MAX, &hook->timeout, err);
  if (hook->args && !n) {
    free(hook->args);
    hook->args = NULL;
  }
  return r;
}

int oci_read_hooks(const json_t *tree, struct oci_spec *ret, struct err *err) {
  json_t *section = NULL;
  int r = json_get(tree, "", "hooks", JSON_OBJECT, false, &section, err);
  for (size_t i = 0; r == 0 && i < OCI_HOOK_POINTS; i++)
    r = oci_read_list(section, "hooks", points[i], OCI_LIST_MAX, sizeof *ret->hooks[i].hook, read_hook, &ret->hooks[i].hook,
                      &ret->hooks[i].n, err);
  return r;
}
