/* The files infra makes for its containers: see podfiles.h. */
#include "podfiles.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "memoryfs.h"

enum { HOST_FILE_LIMIT = 1024 * 1024, MAX_SERVERS = 3 };

/* --- resolv.conf --- */

/* The address of a `nameserver` line, or NULL. */
static char *server_of(char *line) {
  if (strncmp(line, "nameserver", 10) || (line[10] != ' ' && line[10] != '\t')) return NULL;
  char *address = line + 10 + strspn(line + 10, " \t");
  address[strcspn(address, " \t\r#;")] = 0;
  return address;
}

/* 127.0.0.53 (systemd-resolved), ::1, and link-local ones, whose zone is an interface of the host's. */
static bool reachable(const char *address) {
  return strncmp(address, "127.", 4) && strcmp(address, "::1") && strcmp(address, "0.0.0.0") && strcmp(address, "::") &&
         !strchr(address, '%');
}

char *podfiles_resolv_conf(const char *host) {
  cleanup_free char *copy = strdup(host);
  char *out = copy ? malloc(strlen(host) + 64) : NULL;
  if (!out) return NULL;
  char *p = out + sprintf(out, "nameserver " PODFILES_DNS "\n"), *save = NULL;
  int servers = 1;
  for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    char *address = server_of(line);
    if (!address && line[0] != '#' && line[0] != ';') p += sprintf(p, "%s\n", line);
    if (address && reachable(address) && servers++ < MAX_SERVERS) p += sprintf(p, "nameserver %s\n", address);
  }
  return out;
}

/* --- all of them --- */

static int write_text(int dir, const struct infra_conf *conf, const char *name, const char *text, struct err *err) {
  int r = write_file_atomic_at(dir, name, text, strlen(text), 0644);
  if (r < 0) return err_set(err, -r, "write", "%s", name);
  if (!conf->ids.own) return 0;
  const uid_t uid = (uid_t)podids_uid(&conf->ids, 0);
  const gid_t gid = (gid_t)podids_gid(&conf->ids, 0);
  return fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? err_set(err, errno, "chown", "%s", name) : 0;
}

/* The host's file, empty where it has none. */
static int read_host(const char *path, char **ret, struct err *err) {
  int r = read_file_at(AT_FDCWD, path, HOST_FILE_LIMIT, ret, NULL);
  if (r == -ENOENT) r = (*ret = strdup("")) ? 0 : -ENOMEM;
  return r < 0 ? err_set(err, -r, "read", "%s", path) : 0;
}

/* `lines` may be NULL. What is there may lack the end of its last line. */
static int write_more(int dir, const struct infra_conf *conf, const char *name, const char *text, const char *lines, struct err *err) {
  const size_t len = strlen(text);
  cleanup_free char *all = xformat("%s%s%s", text, lines && len && text[len - 1] != '\n' ? "\n" : "", lines ? lines : "");
  return all ? write_text(dir, conf, name, all, err) : err_set(err, ENOMEM, "write", "%s", name);
}

static int make_resolv_conf(int dir, const struct infra_conf *conf, struct err *err) {
  if (conf->resolv_conf) return write_text(dir, conf, "resolv.conf", conf->resolv_conf, err);
  cleanup_free char *host = NULL, *own = NULL;
  int r = read_host("/etc/resolv.conf", &host, err);
  if (r < 0) return r;
  if (conf->network && conf->pasta && !(own = podfiles_resolv_conf(host))) return err_set(err, ENOMEM, "write", "resolv.conf");
  return write_more(dir, conf, "resolv.conf", own ? own : host, conf->resolv_lines, err);
}

static int make_hosts(int dir, const struct infra_conf *conf, struct err *err) {
  cleanup_free char *text = NULL;
  if (!conf->network) {
    cleanup_free char *host = NULL;
    int r = read_host("/etc/hosts", &host, err);
    if (r < 0) return r;
    const size_t len = strlen(host);
    text = conf->names ? xformat("%s%s127.0.0.1\t%s\n", host, len && host[len - 1] != '\n' ? "\n" : "", conf->names) : strdup(host);
    if (!text) return err_set(err, ENOMEM, "write", "hosts");
  } else {
    /* The pod's own name is 127.0.0.1, as published ports are: a server that binds its host name is reached by them. */
    text = xformat("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\t%s\n",
                   conf->names ? conf->names : conf->hostname);
    if (!text) return err_set(err, ENOMEM, "write", "hosts");
  }
  return write_more(dir, conf, "hosts", text, conf->hosts, err);
}

/* The UTS namespace may not be there yet. */
static int make_hostname(int dir, const struct infra_conf *conf, struct err *err) {
  char name[HOST_NAME_MAX + 1];
  if (gethostname(name, sizeof name) < 0) return err_set(err, errno, "gethostname", "%s", "");
  name[HOST_NAME_MAX] = 0;
  cleanup_free char *text = xformat("%s\n", conf->uts ? conf->hostname : name);
  return text ? write_text(dir, conf, "hostname", text, err) : err_set(err, ENOMEM, "write", "hostname");
}

/* The size that Docker and podman give. The owner is said: in a user namespace of the pod's own we have no id. */
static int make_shm(int dir, struct err *err) {
  static const struct mount_param params[] = {{"mode", "1777"}, {"size", "64m"}, {"uid", "0"}, {"gid", "0"}};
  return memoryfs_make(dir, "shm", params, N_ELEMENTS(params), err);
}

/* Of `size` bytes; 0: the kernel's default, half of the machine's memory. What is in it counts for the container that wrote it. */
static int make_memory_volume(const char *path, json_int_t size, struct err *err) {
  char text[24];
  const struct mount_param params[] = {{"mode", "0777"}, {"uid", "0"}, {"gid", "0"}, {"size", text}};
  const size_t n = N_ELEMENTS(params) - (size > 0 ? 0 : 1);
  snprintf(text, sizeof text, "%lld", (long long)size);
  cleanup_free char *copy = strdup(path);
  if (!copy) return err_set(err, ENOMEM, "memory volume", "%s", path);
  for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
    *p = 0;
    if (mkdir(copy, 0700) < 0 && errno != EEXIST) return err_set(err, errno, "mkdir", "%s", copy);
    *p = '/';
  }
  char *slash = strrchr(copy, '/');
  *slash = 0;
  cleanup_fd int parent = open(slash == copy ? "/" : copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (parent < 0) return err_set(err, errno, "open", "%s", copy);
  return memoryfs_make(parent, slash + 1, params, n, err);
}

int podfiles_write(int dir, const struct infra_conf *conf, struct err *err) {
  int r = make_hosts(dir, conf, err);
  if (r == 0) r = make_resolv_conf(dir, conf, err);
  return r == 0 ? make_hostname(dir, conf, err) : r;
}

int podfiles_mount(int dir, const struct infra_conf *conf, struct err *err) {
  int r = make_shm(dir, err);
  size_t i;
  json_t *item;
  json_array_foreach(conf->memory_volumes, i, item) {
    if (r < 0) break;
    r = json_is_object(item)
            ? make_memory_volume(json_string_value(json_object_get(item, "path")), json_integer_value(json_object_get(item, "size")), err)
            : make_memory_volume(json_string_value(item), 0, err);
  }
  return r;
}
