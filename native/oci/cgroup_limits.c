/* Limits of linux.resources: see cgroup_limits.h; the kernel's cgroup-v2.rst and cgroup-v1/. */
#include "cgroup_limits.h"

/* --- one file --- */

bool cg_is_v2(const struct cg_limits *l, enum cg_controller c) {
  bool v2;
  (void)cg_dir(l->set, c, &v2);
  return v2;
}

int cg_put(const struct cg_limits *l, enum cg_controller c, const char *file, const char *text, bool optional) {
  bool v2;
  const int dir = cg_dir(l->set, c, &v2);
  int r = dir < 0 ? -ENOENT : cg_write(dir, file, text);
  if (r == 0 || (r == -ENOENT && optional)) return 0;
  if (r == -ENOENT && dir >= 0 && !v2) return err_set(l->err, 0, "cgroup", "%s=%s: this kernel has no such limit", file, text);
  if (r == -ENOENT)
    return err_set(l->err, 0, "cgroup", "%s=%s: the controller %s is not available in %s", file, text, cg_controller_name(c, v2),
                   l->set->path);
  return err_set(l->err, -r, "cgroup", "%s=%s", file, text);
}

int cg_put_number(const struct cg_limits *l, enum cg_controller c, const char *v1, const char *v2, int64_t value) {
  char text[24];
  const bool is_v2 = cg_is_v2(l, c);
  const char *file = is_v2 ? v2 : v1;
  if (value == OCI_UNSET || !file) return 0;
  if (is_v2 && value < 0)
    strcpy(text, "max");
  else
    snprintf(text, sizeof text, "%lld", (long long)value);
  return cg_put(l, c, file, text, value < 0);
}

/* --- hugetlb, rdma, network, unified --- */

static int limit_huge_pages(const struct cg_limits *l) {
  const bool v2 = cg_is_v2(l, CG_HUGETLB);
  for (size_t i = 0; i < l->r->n_huge_pages; i++) {
    const struct oci_huge_page *h = &l->r->huge_pages[i];
    char value[24], file[64];
    snprintf(value, sizeof value, "%llu", (unsigned long long)h->limit);
    snprintf(file, sizeof file, v2 ? "hugetlb.%.16s.max" : "hugetlb.%.16s.limit_in_bytes", h->size);
    int r = cg_put(l, CG_HUGETLB, file, value, false);
    /* Of reservations: not every kernel has it (5.7). */
    snprintf(file, sizeof file, v2 ? "hugetlb.%.16s.rsvd.max" : "hugetlb.%.16s.rsvd.limit_in_bytes", h->size);
    if (r == 0) r = cg_put(l, CG_HUGETLB, file, value, true);
    if (r < 0) return r;
  }
  return 0;
}

static int limit_rdma(const struct cg_limits *l) {
  for (size_t i = 0; i < l->r->n_rdma; i++) {
    const struct oci_rdma *d = &l->r->rdma[i];
    char line[256];
    int n = snprintf(line, sizeof line, "%s", d->device);
    if (d->handles != OCI_UNSET && n < 200) n += snprintf(line + n, sizeof line - (size_t)n, " hca_handle=%lld", (long long)d->handles);
    if (d->objects != OCI_UNSET && n < 200) snprintf(line + n, sizeof line - (size_t)n, " hca_object=%lld", (long long)d->objects);
    int r = cg_put(l, CG_RDMA, "rdma.max", line, false);
    if (r < 0) return r;
  }
  return 0;
}

static int limit_network(const struct cg_limits *l) {
  char line[64];
  int r = 0;
  if (l->r->net_class != OCI_UNSET) {
    snprintf(line, sizeof line, "%lld", (long long)l->r->net_class);
    r = cg_put(l, CG_NET_CLS, "net_cls.classid", line, l->r->net_class == 0);
  }
  for (size_t i = 0; i < l->r->n_net_priorities && r == 0; i++) {
    snprintf(line, sizeof line, "%s %u", l->r->net_priorities[i].name, l->r->net_priorities[i].priority);
    r = cg_put(l, CG_NET_PRIO, "net_prio.ifpriomap", line, false);
  }
  return r;
}

/* The names were looked at when they were read. Files like io.max take one line at a time. */
static int limit_unified(const struct cg_limits *l) {
  const int dir = cg_dir_v2(l->set);
  for (size_t i = 0; i < l->r->n_unified; i++) {
    const struct oci_unified *u = &l->r->unified[i];
    cleanup_free char *lines = strdup(u->value);
    char *save = NULL, *line = lines ? strtok_r(lines, "\n", &save) : NULL;
    int r = lines ? 0 : -ENOMEM;
    for (; line && r == 0; line = strtok_r(NULL, "\n", &save)) r = dir < 0 ? -ENOENT : cg_write(dir, u->file, line);
    if (r == -ENOENT) return err_set(l->err, 0, "cgroup", "unified: %s: no such file of cgroup2 in %s", u->file, l->set->path);
    if (r < 0) return err_set(l->err, -r, "cgroup", "unified: %s=%s", u->file, u->value);
  }
  return 0;
}

/* --- all --- */

int cg_limits(const struct cg_set *set, const struct oci_resources *r, bool update, struct err *err) {
  const struct cg_limits l = {.set = set, .r = r, .update = update, .err = err};
  int done = cg_limit_memory(&l);
  if (done == 0) done = cg_limit_cpu(&l);
  /* 0 is what engines give for "none", negative ones too. */
  if (done == 0 && r->pids_limit != OCI_UNSET && r->pids_limit != 0) {
    char text[24] = "max";
    if (r->pids_limit > 0) snprintf(text, sizeof text, "%lld", (long long)r->pids_limit);
    done = cg_put(&l, CG_PIDS, "pids.max", text, r->pids_limit < 0);
  }
  if (done == 0) done = cg_limit_io(&l);
  if (done == 0) done = limit_huge_pages(&l);
  if (done == 0) done = limit_rdma(&l);
  if (done == 0) done = limit_network(&l);
  return done == 0 ? limit_unified(&l) : done;
}

static unsigned when(bool needed, enum cg_controller c) {
  return needed ? 1u << c : 0;
}

unsigned cg_needs(const struct oci_resources *r) {
  unsigned bits = when(r->memory_limit > 0 || r->memory_reservation > 0 || r->memory_swap > 0, CG_MEMORY) |
                  when(r->cpu_shares > 0 || r->cpu_quota > 0 || r->cpu_burst > 0 || r->cpu_period > 0 || r->cpu_idle == 1, CG_CPU) |
                  when((r->cpus && *r->cpus) || (r->mems && *r->mems), CG_CPUSET) | when(r->pids_limit > 0, CG_PIDS) |
                  when(r->block_weight > 0 || r->n_weight_devices, CG_IO) | when(r->n_huge_pages, CG_HUGETLB) | when(r->n_rdma, CG_RDMA) |
                  when(r->net_class > 0, CG_NET_CLS) | when(r->n_net_priorities, CG_NET_PRIO);
  for (size_t i = 0; i < OCI_BLOCK_RATES; i++) bits |= when(r->rates[i].n, CG_IO);
  for (size_t i = 0; i < r->n_unified; i++) {
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(r->unified[i].file, "."), r->unified[i].file);
    bits |= cg_controllers_parse(name, " ");
  }
  return bits;
}
