/* linux.devices and linux.netDevices of an OCI configuration: see spec.h. */
#include <net/if.h>
#include <sys/stat.h>

#include "spec_read.h"

static int read_device(const json_t *item, const char *at, void *element, struct err *err) {
  static const struct oci_word types[] = {{"c", S_IFCHR}, {"u", S_IFCHR}, {"b", S_IFBLK}, {"p", S_IFIFO}};
  struct oci_device *d = element;
  uint64_t type = 0;
  int64_t major = 0, minor = 0, mode = 0666, uid = 0, gid = 0;
  int r = oci_read_path(item, at, "path", &d->path, err);
  if (r == 0) r = oci_read_word(item, at, "type", types, N_ELEMENTS(types), &type, err);
  if (r == 0 && type != S_IFIFO) {
    /* The kernel's device numbers have 12 and 20 bits. */
    r = oci_read_number(item, at, "major", 0, (1 << 12) - 1, &major, err);
    if (r == 0) r = oci_read_number(item, at, "minor", 0, (1 << 20) - 1, &minor, err);
  }
  if (r == 0) r = json_get_int(item, at, "fileMode", 0, UINT32_MAX, &mode, err);
  if (r == 0) r = json_get_int(item, at, "uid", 0, UINT32_MAX - 1, &uid, err);
  if (r == 0) r = json_get_int(item, at, "gid", 0, UINT32_MAX - 1, &gid, err);
  d->type = (mode_t)type;
  d->major = (unsigned)major;
  d->minor = (unsigned)minor;
  d->mode = (mode_t)mode & 07777; /* writers pass on st_mode, or Go's os.FileMode: the bits of the type are not permissions */
  d->uid = (uint32_t)uid;
  d->gid = (uint32_t)gid;
  return r;
}

/* As the kernel's dev_valid_name, and printable; a new name may be a template ("eth%d"). */
static bool interface_ok(const char *name) {
  if (!*name || strlen(name) >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, "..")) return false;
  for (; *name; name++)
    if (*name <= ' ' || *name > '~' || *name == '/' || *name == ':') return false;
  return true;
}

static int read_net_devices(const json_t *section, struct oci_spec *ret, struct err *err) {
  json_t *devices = NULL, *device;
  const char *name;
  int r = json_get(section, "linux", "netDevices", JSON_OBJECT, false, &devices, err);
  if (r < 0 || !json_object_size(devices)) return r;
  if (!ret->ns[OCI_NETWORK].listed) return err_set(err, 0, "bundle", "linux.netDevices: only with a network namespace");
  ret->net_devices = calloc(json_object_size(devices), sizeof *ret->net_devices);
  if (!ret->net_devices) return err_set(err, ENOMEM, "bundle", "linux.netDevices");
  json_object_foreach(devices, name, device) {
    struct oci_net_device *d = &ret->net_devices[ret->n_net_devices++];
    char path[JSON_AT_MAX];
    json_at(path, "linux.netDevices", name);
    if (!interface_ok(name)) return err_set(err, 0, "bundle", "%s: no name of a network device", path);
    if (!json_is_object(device)) return err_set(err, 0, "bundle", "%s: expected an object", path);
    d->name = name;
    r = oci_read_text(device, path, "name", &d->new_name, err);
    if (r < 0) return r;
    if (d->new_name && !interface_ok(d->new_name)) return err_set(err, 0, "bundle", "%s.name: no name of a network device", path);
  }
  return 0;
}

int oci_read_devices(const json_t *section, struct oci_spec *ret, struct err *err) {
  int r = oci_read_list(section, "linux", "devices", OCI_LIST_MAX, sizeof *ret->devices, read_device, &ret->devices, &ret->n_devices, err);
  return r < 0 ? r : read_net_devices(section, ret, err);
}
