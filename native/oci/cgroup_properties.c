/* Limits as properties of a unit of systemd: see cgroup_properties.h. */
#include "cgroup_properties.h"

#include "cgroup_convert.h"
#include "cgroup_devices.h"

/* --- one --- */

static bool start(const struct cg_properties *p, const char *name, const char *signature) {
  for (size_t i = 0; p->unknown && i < p->unknown->n; i++)
    if (!strcmp(p->unknown->name[i], name)) return false;
  dbus_align(p->o, 8);
  dbus_put_string(p->o, name);
  dbus_put_signature(p->o, signature);
  return true;
}

void cg_property_string(const struct cg_properties *p, const char *name, const char *value) {
  if (start(p, name, "s")) dbus_put_string(p->o, value);
}

void cg_property_bool(const struct cg_properties *p, const char *name, bool value) {
  if (start(p, name, "b")) dbus_put_u32(p->o, value);
}

void cg_property_u64(const struct cg_properties *p, const char *name, uint64_t value) {
  if (start(p, name, "t")) dbus_put_u64(p->o, value);
}

void cg_property_u32s(const struct cg_properties *p, const char *name, const uint32_t *value, size_t n) {
  if (!start(p, name, "au")) return;
  struct dbus_array a = dbus_open_array(p->o, 4);
  for (size_t i = 0; i < n; i++) dbus_put_u32(p->o, value[i]);
  dbus_close_array(p->o, a);
}

void cg_property_bytes(const struct cg_properties *p, const char *name, const unsigned char *value, size_t n) {
  if (!start(p, name, "ay")) return;
  struct dbus_array a = dbus_open_array(p->o, 1);
  dbus_put(p->o, value, n);
  dbus_close_array(p->o, a);
}

/* --- limits --- */

/* -1 is systemd's infinity; 0 and unset are not said. */
static void limit(const struct cg_properties *p, const char *name, int64_t value) {
  if (value != OCI_UNSET && value != 0) cg_property_u64(p, name, value < 0 ? UINT64_MAX : (uint64_t)value);
}

static int list(const struct cg_properties *p, const char *name, const char *value, struct err *err) {
  unsigned char bits[1024];
  size_t n;
  if (!value || !*value) return 0;
  if (cg_list_to_bits(value, bits, sizeof bits, &n) < 0) return err_set(err, 0, "cgroup", "\"%s\" is no list of numbers", value);
  cg_property_bytes(p, name, bits, n);
  return 0;
}

/* What linux.resources.unified says beside the kernel, for the files that systemd has a property for. */
static void unified_limits(const struct cg_properties *p, const struct oci_resources *r) {
  static const struct {
    const char *file, *name;
  } table[] = {{"memory.max", "MemoryMax"}, {"memory.high", "MemoryHigh"},        {"memory.low", "MemoryLow"},
               {"memory.min", "MemoryMin"}, {"memory.swap.max", "MemorySwapMax"}, {"pids.max", "TasksMax"},
               {"cpu.weight", "CPUWeight"}};
  for (size_t i = 0; i < r->n_unified; i++)
    for (size_t k = 0; k < N_ELEMENTS(table); k++) {
      char *end;
      if (strcmp(r->unified[i].file, table[k].file)) continue;
      const uint64_t value = strtoull(r->unified[i].value, &end, 10);
      if (!strcmp(r->unified[i].value, "max"))
        cg_property_u64(p, table[k].name, UINT64_MAX);
      else if (end != r->unified[i].value && !*end && value > 0)
        cg_property_u64(p, table[k].name, value);
    }
}

int cg_properties_limits(const struct cg_properties *p, const struct oci_resources *r, bool unified, struct err *err) {
  int64_t swap;
  int done = cg_swap_max(r, &swap, err);
  if (done < 0) return done;
  limit(p, unified ? "MemoryMax" : "MemoryLimit", r->memory_limit);
  limit(p, "TasksMax", r->pids_limit);
  if (r->cpu_quota != OCI_UNSET && r->cpu_quota != 0)
    cg_property_u64(p, "CPUQuotaPerSecUSec", cg_quota_per_second(r->cpu_quota, r->cpu_period));
  limit(p, "CPUQuotaPeriodUSec", r->cpu_period);
  if (!unified) {
    if (r->cpu_shares > 0) cg_property_u64(p, "CPUShares", (uint64_t)r->cpu_shares);
    if (r->block_weight > 0) cg_property_u64(p, "BlockIOWeight", (uint64_t)r->block_weight);
    return 0;
  }
  limit(p, "MemoryLow", r->memory_reservation);
  if (swap != OCI_UNSET) cg_property_u64(p, "MemorySwapMax", swap < 0 ? UINT64_MAX : (uint64_t)swap);
  /* Weight 0 is systemd's word for cpu.idle, since 252. */
  if (r->cpu_idle == 1)
    cg_property_u64(p, "CPUWeight", 0);
  else if (r->cpu_shares > 0)
    cg_property_u64(p, "CPUWeight", cg_weight_of_shares((uint64_t)r->cpu_shares));
  if (r->block_weight > 0) cg_property_u64(p, "IOWeight", cg_io_weight((uint64_t)r->block_weight));
  done = list(p, "AllowedCPUs", r->cpus, err);
  if (done == 0) done = list(p, "AllowedMemoryNodes", r->mems, err);
  if (done == 0) unified_limits(p, r);
  return done;
}

/* --- devices --- */

static void device(const struct cg_properties *p, const struct oci_device_rule *d, char type) {
  const char *kind = type == 'b' ? "block" : "char";
  char name[64];
  if (d->major >= 0 && d->minor >= 0)
    snprintf(name, sizeof name, "/dev/%s/%lld:%lld", kind, (long long)d->major, (long long)d->minor);
  else if (d->major >= 0)
    snprintf(name, sizeof name, "%s-%lld", kind, (long long)d->major);
  else
    snprintf(name, sizeof name, "%s-*", kind);
  dbus_align(p->o, 8);
  dbus_put_string(p->o, name);
  dbus_put_string(p->o, d->access);
}

/*
 * systemd has lists of what is allowed and nothing else: where rules take something back it is told to leave devices alone. So it is with
 * "any major of this minor", which it has no word for.
 */
int cg_properties_devices(const struct cg_properties *p, const struct oci_resources *r, struct err *err) {
  cleanup_free struct oci_device_rule *rules = NULL;
  size_t n = 0;
  bool all = false;
  int done = cg_device_rules(r, &rules, &n, &all);
  if (done < 0) return err_set(err, -done, "cgroup", "the device rules");
  all |= rules[0].allow;
  for (size_t i = 1; i < n; i++) all |= !rules[i].allow || (rules[i].major < 0 && rules[i].minor >= 0);
  cg_property_string(p, "DevicePolicy", all ? "auto" : "strict");
  /* An empty list first: otherwise this adds to what there is. */
  if (!start(p, "DeviceAllow", "a(ss)")) return 0;
  struct dbus_array a = dbus_open_array(p->o, 8);
  dbus_close_array(p->o, a);
  if (all || !start(p, "DeviceAllow", "a(ss)")) return 0;
  a = dbus_open_array(p->o, 8);
  for (size_t i = 1; i < n; i++) {
    if (rules[i].type != 'c') device(p, &rules[i], 'b');
    if (rules[i].type != 'b') device(p, &rules[i], 'c');
  }
  dbus_close_array(p->o, a);
  return 0;
}
