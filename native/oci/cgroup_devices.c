/* Which devices a container may use: see cgroup_devices.h, the kernel's cgroup-v1/devices.rst and cgroup-v2.rst, "Device controller". */
#include "cgroup_devices.h"

#include <fcntl.h>

#include "cgroup_bpf.h"

/* runtime-spec, "Default Devices"; the terminals; and making nodes, which gives no right to open them. */
static const struct oci_device_rule defaults[] = {
    {true, 'c', -1, -1, "m"}, {true, 'b', -1, -1, "m"}, {true, 'c', 136, -1, "rwm"}, {true, 'c', 5, 2, "rwm"},
    {true, 'c', 5, 1, "rwm"}, {true, 'c', 5, 0, "rwm"}, {true, 'c', 1, 8, "rwm"},    {true, 'c', 1, 9, "rwm"},
    {true, 'c', 1, 7, "rwm"}, {true, 'c', 1, 5, "rwm"}, {true, 'c', 1, 3, "rwm"},
};

/* --- rules --- */

static bool is_all(const struct oci_device_rule *d) {
  return d->type == 'a' && d->major < 0 && d->minor < 0 && strlen(d->access) == 3;
}

int cg_device_rules(const struct oci_resources *r, struct oci_device_rule **ret, size_t *ret_n, bool *ret_all) {
  size_t first = 0, n = 0;
  for (size_t i = 0; i < r->n_devices; i++)
    if (is_all(&r->devices[i])) first = i;
  *ret_all = r->n_devices && first + 1 == r->n_devices && is_all(&r->devices[first]) && r->devices[first].allow;
  struct oci_device_rule *rules = calloc(1 + r->n_devices - first + N_ELEMENTS(defaults), sizeof *rules);
  if (!rules) return -ENOMEM;
  if (!r->n_devices || !is_all(&r->devices[first])) rules[n++] = (struct oci_device_rule){false, 'a', -1, -1, "rwm"};
  for (size_t i = first; i < r->n_devices; i++) rules[n++] = r->devices[i];
  if (!rules[0].allow)
    for (size_t i = 0; i < N_ELEMENTS(defaults); i++) rules[n++] = defaults[i];
  *ret = rules;
  *ret_n = n;
  return 0;
}

static bool meets(int64_t a, int64_t b) {
  return a < 0 || b < 0 || a == b;
}

bool cg_device_rules_cross(const struct oci_device_rule *rules, size_t n) {
  for (size_t i = 1; i < n; i++)
    for (size_t k = 1; k < i; k++) {
      const struct oci_device_rule *a = &rules[i], *b = &rules[k];
      if (a->allow == b->allow || (a->type != b->type && a->type != 'a' && b->type != 'a')) continue;
      if (!meets(a->major, b->major) || !meets(a->minor, b->minor) || !strpbrk(a->access, b->access)) continue;
      if (a->type != b->type || a->major != b->major || a->minor != b->minor) return true;
    }
  return false;
}

/* --- v1 --- */

static int write_rule(int allow, int deny, const struct oci_device_rule *d, char type) {
  char line[64], major[24] = "*", minor[24] = "*";
  if (d->major >= 0) snprintf(major, sizeof major, "%lld", (long long)d->major);
  if (d->minor >= 0) snprintf(minor, sizeof minor, "%lld", (long long)d->minor);
  int n = is_all(d) ? snprintf(line, sizeof line, "a") : snprintf(line, sizeof line, "%c %s:%s %s", type, major, minor, d->access);
  return write(d->allow ? allow : deny, line, (size_t)n) < 0 ? -errno : 0;
}

static int set_v1(int dir, const struct oci_device_rule *rules, size_t n, struct err *err) {
  cleanup_fd int allow = openat(dir, "devices.allow", O_WRONLY | O_CLOEXEC), deny = openat(dir, "devices.deny", O_WRONLY | O_CLOEXEC);
  if (allow < 0 || deny < 0) return err_set(err, errno, "cgroup", "devices.allow, devices.deny");
  for (size_t i = 0; i < n; i++) {
    const struct oci_device_rule *d = &rules[i];
    int r = 0;
    /* There "a" is every device, whatever numbers follow. */
    if (is_all(d) || d->type != 'a') r = write_rule(allow, deny, d, d->type);
    if (!is_all(d) && d->type == 'a') {
      r = write_rule(allow, deny, d, 'b');
      if (r == 0) r = write_rule(allow, deny, d, 'c');
    }
    if (r < 0) return err_set(err, -r, "cgroup", "devices.%s: rule %zu", d->allow ? "allow" : "deny", i);
  }
  return 0;
}

/* --- both --- */

static int set_v2(int dir, const struct oci_device_rule *rules, size_t n, bool all, struct err *err) {
  cleanup_free struct bpf_insn *code = NULL;
  size_t len = 0;
  int r = all ? 0 : cg_device_program(rules, n, &code, &len);
  if (r < 0) return err_set(err, -r, "cgroup", "the program of the device rules");
  return cg_bpf_replace(dir, code, len, err);
}

static bool may_not(int r) {
  return r == -EPERM || r == -EACCES || r == -ENOSYS || r == -EROFS;
}

int cg_devices(const struct cg_set *set, const struct oci_resources *r, bool lenient, struct err *err) {
  cleanup_free struct oci_device_rule *rules = NULL;
  size_t n = 0;
  bool all = false, v2;
  const int v1 = cg_dir(set, CG_DEVICES, &v2), unified = cg_dir_v2(set);
  if (v1 < 0 && unified < 0) return lenient || !r->has_devices ? 0 : err_set(err, ENOENT, "cgroup", "no controller of devices");
  int done = cg_device_rules(r, &rules, &n, &all);
  if (done < 0) return err_set(err, -done, "cgroup", "the device rules");
  if (v1 >= 0) done = set_v1(v1, rules, n, err);
  /* On a hybrid machine cgroup2 takes what v1's lists cannot. */
  const bool crosses = v1 >= 0 && cg_device_rules_cross(rules, n);
  if (done == 0 && crosses && unified < 0 && r->has_devices)
    done = err_set(err, 0, "cgroup", "cgroup v1 cannot take back a part of what another device rule allows");
  if (done == 0 && unified >= 0 && (v1 < 0 || crosses)) done = set_v2(unified, rules, n, all, err);
  return lenient && may_not(done) ? 0 : done;
}
