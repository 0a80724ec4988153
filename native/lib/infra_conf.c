/* Infra's part of the bundle: see infra_conf.h. */
#include "infra_conf.h"

#include <fcntl.h>

enum { CONFIG_LIMIT = 4 * 1024 * 1024 };

void infra_conf_free(struct infra_conf *conf) {
  json_decref(conf->memory_volumes);
  json_decref(conf->root);
  *conf = (struct infra_conf){0};
}

static const char *text(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static int read_namespaces(const json_t *linux_part, struct infra_conf *conf, struct err *err) {
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(linux_part, "namespaces"), i, item) {
    const char *type = text(item, "type");
    if (!type || json_object_get(item, "path")) return err_set(err, EINVAL, "config.json", "linux.namespaces[%zu]", i);
    if (!strcmp(type, "network"))
      conf->network = true;
    else if (!strcmp(type, "ipc"))
      conf->ipc = true;
    else if (!strcmp(type, "uts"))
      conf->uts = true;
    else if (!strcmp(type, "pid"))
      conf->pid = true;
    else
      return err_set(err, EINVAL, "config.json", "linux.namespaces[%zu]: infra makes no %s namespace", i, type);
  }
  return 0;
}

static int read_sysctl(const json_t *linux_part, struct infra_conf *conf, struct err *err) {
  const char *name;
  json_t *value;
  conf->sysctl = json_object_get(linux_part, "sysctl");
  json_object_foreach(conf->sysctl, name, value) {
    if (!json_is_string(value)) return err_set(err, EINVAL, "config.json", "linux.sysctl.%s", name);
  }
  return 0;
}

static int read_memory_volumes(const char *list, struct infra_conf *conf, struct err *err) {
  if (!list) return 0;
  size_t i;
  json_t *item;
  conf->memory_volumes = json_loads(list, 0, NULL);
  if (!json_is_array(conf->memory_volumes)) return err_set(err, EINVAL, "config.json", "io.podgen.memory-volumes");
  json_array_foreach(conf->memory_volumes, i, item) {
    const char *path = json_string_value(json_is_object(item) ? json_object_get(item, "path") : item);
    const json_int_t size = json_integer_value(json_object_get(item, "size"));
    if (!path || path[0] != '/' || (json_is_object(item) && size <= 0))
      return err_set(err, EINVAL, "config.json", "io.podgen.memory-volumes[%zu]", i);
  }
  return 0;
}

static int read_annotations(const json_t *notes, struct infra_conf *conf, struct err *err) {
  const struct {
    const char *key, **ret;
  } wanted[] = {{"io.podgen.pod", &conf->pod}, {"io.podgen.unit", &conf->unit}, {"io.podgen.run-dir", &conf->run_dir}};
  for (size_t i = 0; i < N_ELEMENTS(wanted); i++)
    if (!(*wanted[i].ret = text(notes, wanted[i].key))) return err_set(err, EINVAL, "config.json", "annotation %s", wanted[i].key);
  conf->digest = text(notes, "io.podgen.digest");
  if (!conf->digest) conf->digest = "";
  conf->names = text(notes, "io.podgen.names");
  conf->hosts = text(notes, "io.podgen.hosts");
  conf->resolv_conf = text(notes, "io.podgen.resolv-conf");
  conf->resolv_lines = text(notes, "io.podgen.resolv-lines");
  const char *uplink = text(notes, "io.podgen.uplink");
  conf->pasta = uplink && !strcmp(uplink, "pasta");
  if (uplink && !conf->pasta && strcmp(uplink, "none"))
    return err_set(err, EINVAL, "config.json", "annotation io.podgen.uplink: %s", uplink);
  int r = podids_parse(text(notes, "io.podgen.userns"), "annotation io.podgen.userns", &conf->ids, err);
  return r < 0 ? r : read_memory_volumes(text(notes, "io.podgen.memory-volumes"), conf, err);
}

int infra_conf_read(const char *bundle, struct infra_conf *ret, struct err *err) {
  cleanup_fd int dir = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return err_set(err, errno, "open", "%s", bundle);
  cleanup_free char *bytes = NULL;
  size_t len;
  int r = read_file_at(dir, "config.json", CONFIG_LIMIT, &bytes, &len);
  if (r < 0) return err_set(err, -r, "read", "%s/config.json", bundle);
  json_error_t where;
  struct infra_conf conf = {.root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &where)};
  if (!json_is_object(conf.root)) r = err_set(err, EINVAL, "config.json", "line %d: %.200s", where.line, where.text);
  const json_t *linux_part = json_object_get(conf.root, "linux");
  if (r == 0) r = read_namespaces(linux_part, &conf, err);
  if (r == 0) r = read_sysctl(linux_part, &conf, err);
  if (r == 0) r = read_annotations(json_object_get(conf.root, "annotations"), &conf, err);
  if (r < 0) {
    infra_conf_free(&conf);
    return r;
  }
  conf.hostname = text(conf.root, "hostname");
  if (!conf.hostname) conf.hostname = conf.pod;
  *ret = conf;
  return 0;
}
