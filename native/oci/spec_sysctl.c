/* linux.sysctl of an OCI configuration: names as paths, and only those that a namespace of the container has for itself; see spec.h. */
#include "spec_read.h"

/* A prefix ends with "/". What is not here is the machine's own, whoever is in the container. */
static const struct {
  const char *name;
  enum oci_namespace ns;
} namespaced[] = {
    {"fs/mqueue/", OCI_IPC},
    {"kernel/msgmax", OCI_IPC},
    {"kernel/msgmnb", OCI_IPC},
    {"kernel/msgmni", OCI_IPC},
    {"kernel/sem", OCI_IPC},
    {"kernel/shmall", OCI_IPC},
    {"kernel/shmmax", OCI_IPC},
    {"kernel/shmmni", OCI_IPC},
    {"kernel/auto_msgmni", OCI_IPC},
    {"kernel/msg_next_id", OCI_IPC},
    {"kernel/sem_next_id", OCI_IPC},
    {"kernel/shm_next_id", OCI_IPC},
    {"kernel/shm_rmid_forced", OCI_IPC},
    {"kernel/domainname", OCI_UTS},
    {"net/", OCI_NETWORK},
    {"user/", OCI_USER},
};

/*
 * sysctl.d(5): when the first separator is a dot, dots separate and a slash stands for a dot within a part
 * ("net.ipv4.conf.eth0/1.forwarding"); else slashes separate.
 */
static void to_path(char *key) {
  if (key[strcspn(key, "./")] != '.') return;
  for (; *key; key++) *key = *key == '.' ? '/' : *key == '/' ? '.' : *key;
}

/* No part is empty, "." or "..". */
static bool path_ok(const char *path) {
  for (;;) {
    size_t len = strcspn(path, "/");
    if (!len || (len == 1 && *path == '.') || (len == 2 && !strncmp(path, "..", 2))) return false;
    if (!path[len]) return true;
    path += len + 1;
  }
}

static int check(const struct oci_spec *spec, const char *key, const char *path, struct err *err) {
  if (!path_ok(path)) return err_set(err, 0, "bundle", "linux.sysctl.%.128s: no name of a kernel parameter", key);
  if (!strcmp(path, "kernel/hostname")) return err_set(err, 0, "bundle", "linux.sysctl.%.128s: the member hostname sets it", key);
  for (size_t i = 0; i < N_ELEMENTS(namespaced); i++) {
    size_t len = strlen(namespaced[i].name);
    bool prefix = namespaced[i].name[len - 1] == '/';
    if (prefix ? strncmp(path, namespaced[i].name, len) != 0 : strcmp(path, namespaced[i].name) != 0) continue;
    if (spec->ns[namespaced[i].ns].listed) return 0;
    return err_set(err, 0, "bundle", "linux.sysctl.%.128s: only with a namespace of type %s", key, oci_namespace_name(namespaced[i].ns));
  }
  return err_set(err, 0, "bundle", "linux.sysctl.%.128s: it is the whole machine's, not a container's", key);
}

int oci_read_sysctl(json_t *section, struct oci_spec *ret, struct err *err) {
  json_t *given = NULL, *paths, *value;
  const char *key;
  int r = json_get(section, "linux", "sysctl", JSON_OBJECT, false, &given, err);
  if (r < 0 || !json_object_size(given)) return r;
  paths = json_object();
  json_object_foreach(given, key, value) {
    cleanup_free char *path = strdup(key);
    if (!path || !paths) r = err_set(err, ENOMEM, "bundle", "linux.sysctl");
    if (r == 0) to_path(path);
    if (r == 0) r = check(ret, key, path, err);
    if (r == 0 && json_object_get(paths, path)) r = err_set(err, 0, "bundle", "linux.sysctl.%.128s: listed twice", key);
    if (r == 0 && json_object_set(paths, path, value) < 0) r = err_set(err, ENOMEM, "bundle", "linux.sysctl");
    if (r < 0) break;
  }
  /* The section's own from here on: the tree owns the keys that the pairs have. */
  if (r == 0 && json_object_set(section, "sysctl", paths) < 0) r = err_set(err, ENOMEM, "bundle", "linux.sysctl");
  json_decref(paths);
  return r < 0 ? r : oci_read_pairs(section, "linux", "sysctl", &ret->sysctl, &ret->n_sysctl, err);
}
