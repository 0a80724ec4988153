/* A container's config.json, for its maker: see make_parts.h. */
#include <fcntl.h>
#include <limits.h>

#include "make_parts.h"
#include "selinux.h"

enum { CONFIG_MAX = 16 * 1024 * 1024 };

/* Our own copy: what delete and exec read must be what was made, whatever becomes of the bundle. */
static int copy_config(struct maker *m, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  const char *name = m->wish->config ? m->wish->config : "config.json";
  int r = read_file_at(m->bundle, name, CONFIG_MAX, &text, &len);
  if (r < 0) return err_set(err, -r, "bundle", "%s", name);
  r = oci_spec_parse(text, len, &m->made->spec, err);
  if (r < 0) return r;
  cleanup_fd int fd = openat(m->made->container.dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  r = fd < 0 ? -errno : write_all(fd, text, len);
  return r < 0 ? err_set(err, -r, "write", "config.json of %s", m->wish->id) : 0;
}

static int open_bundle(struct maker *m, struct err *err) {
  struct oci_container *c = &m->made->container;
  m->bundle = open(m->wish->bundle ? m->wish->bundle : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (m->bundle < 0) return err_set(err, errno, "bundle", "%s", m->wish->bundle ? m->wish->bundle : ".");
  /* Longer than PATH_MAX it has no name that realpath(3) could give. */
  char *path = m->wish->bundle && strlen(m->wish->bundle) >= PATH_MAX ? strdup(m->wish->bundle)
                                                                      : realpath(m->wish->bundle ? m->wish->bundle : ".", NULL);
  if (!path) return err_set(err, errno, "bundle", "%s", m->wish->bundle ? m->wish->bundle : ".");
  c->bundle = path;
  return 0;
}

static int check(const struct maker *m, struct err *err) {
  const struct oci_spec *s = &m->made->spec;
  const bool terminal = s->has_process && s->process.terminal;
  if (!s->ns[OCI_MOUNT].listed) return err_set(err, 0, "config", "linux.namespaces: podrt needs a mount namespace");
  if (terminal && !m->wish->console_socket && !m->wish->attached)
    return err_set(err, 0, "terminal", "process.terminal needs --console-socket");
  if (!terminal && m->wish->console_socket) return err_set(err, 0, "terminal", "--console-socket without process.terminal");
  if (s->ns[OCI_USER].listed && !s->ns[OCI_USER].path && (!s->n_uid_map || !s->n_gid_map))
    return err_set(err, 0, "config", "linux.uidMappings and gidMappings are needed with a new user namespace");
  if (!s->ns[OCI_USER].listed && (s->n_uid_map || s->n_gid_map))
    return err_set(err, 0, "config", "linux.uidMappings and gidMappings need a user namespace");
  if (s->hostname && *s->hostname && !s->ns[OCI_UTS].listed) return err_set(err, 0, "config", "hostname needs a uts namespace");
  if (s->domainname && *s->domainname && !s->ns[OCI_UTS].listed) return err_set(err, 0, "config", "domainname needs a uts namespace");
  if ((s->monotonic.set || s->boottime.set) && !s->ns[OCI_TIME].listed)
    return err_set(err, 0, "config", "linux.timeOffsets needs a time namespace");
  if (s->n_net_devices && !s->ns[OCI_NETWORK].listed) return err_set(err, 0, "config", "linux.netDevices needs a network namespace");
  if (s->has_rdt) oci_warn(m->wish->global, "linux.intelRdt is ignored");
  if (s->mount_label && *s->mount_label && !oci_selinux_enabled())
    oci_warn(m->wish->global, "linux.mountLabel is ignored: SELinux is not enabled on this machine");
  return oci_selinux_check(&s->process, err);
}

static int root_path(struct maker *m, struct err *err) {
  const char *path = m->made->spec.root_path;
  struct oci_container *c = &m->made->container;
  c->rootfs = !path ? strdup("") : path[0] == '/' ? strdup(path) : xformat("%s/%s", c->bundle, path);
  return c->rootfs ? 0 : err_set(err, ENOMEM, "bundle", "%s", "");
}

int maker_read(struct maker *m, struct err *err) {
  int r = open_bundle(m, err);
  if (r == 0) r = copy_config(m, err);
  if (r == 0) r = check(m, err);
  return r == 0 ? root_path(m, err) : r;
}
