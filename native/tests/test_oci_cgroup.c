/* What of an OCI container's cgroup can be tested without one: numbers, names, layouts, properties. */
#include "expect.h"
#include "oci/cgroup.h"
#include "oci/cgroup_convert.h"
#include "oci/cgroup_layout.h"
#include "oci/cgroup_limits.h"
#include "oci/cgroup_path.h"
#include "oci/cgroup_properties.h"

/* --- numbers --- */

static void test_weights(void) {
  EXPECT(cg_weight_of_shares(0) == 0 && cg_weight_of_shares(1) == 1 && cg_weight_of_shares(2) == 1);
  EXPECT(cg_weight_of_shares(1024) == 100);
  EXPECT(cg_weight_of_shares(262144) == 10000 && cg_weight_of_shares(UINT64_MAX) == 10000);
  uint64_t last = 0;
  for (uint64_t shares = 2; shares <= 262144; shares = shares * 5 / 4 + 1) {
    EXPECT(cg_weight_of_shares(shares) >= last);
    last = cg_weight_of_shares(shares);
  }
  EXPECT(cg_io_weight(10) == 1 && cg_io_weight(1000) == 10000 && cg_io_weight(500) == 4950);
}

static int64_t swap_of(int64_t limit, int64_t swap, bool *ret_failed) {
  struct oci_resources r;
  struct err err;
  int64_t value = 7;
  oci_resources_init(&r);
  r.memory_limit = limit;
  r.memory_swap = swap;
  *ret_failed = cg_swap_max(&r, &value, &err) < 0;
  return value;
}

static void test_swap(void) {
  bool failed;
  EXPECT(swap_of(OCI_UNSET, OCI_UNSET, &failed) == OCI_UNSET && !failed);
  EXPECT(swap_of(100, 300, &failed) == 200 && !failed);
  EXPECT(swap_of(100, 100, &failed) == 0 && !failed);
  EXPECT(swap_of(100, 0, &failed) == OCI_UNSET && !failed);
  EXPECT(swap_of(100, -1, &failed) == -1 && !failed);
  EXPECT(swap_of(-1, OCI_UNSET, &failed) == -1 && !failed);
  (void)swap_of(100, 99, &failed);
  EXPECT(failed);
  (void)swap_of(OCI_UNSET, 99, &failed);
  EXPECT(failed);
  (void)swap_of(-1, 99, &failed);
  EXPECT(failed);
}

static void test_quota(void) {
  EXPECT(cg_quota_per_second(50000, 100000) == 500000);
  EXPECT(cg_quota_per_second(50000, 0) == 500000 && cg_quota_per_second(50000, OCI_UNSET) == 500000);
  EXPECT(cg_quota_per_second(1234, 100000) == 20000); /* 12340 us a second, by hundredths */
  EXPECT(cg_quota_per_second(-1, 100000) == UINT64_MAX && cg_quota_per_second(INT64_MAX, 1) == UINT64_MAX);
}

static bool bits(const char *list, const char *expected, size_t n) {
  unsigned char got[16];
  size_t len = 0;
  return cg_list_to_bits(list, got, sizeof got, &len) == 0 && len == n && !memcmp(got, expected, n);
}

static void test_lists(void) {
  unsigned char got[2];
  size_t len;
  EXPECT(bits("0", "\1", 1) && bits("0-3,7", "\x8f", 1) && bits("8", "\0\1", 2) && bits("1,0", "\3", 1) && bits("0-15", "\xff\xff", 2));
  const char *const bad[] = {"", "-", "a", "1-", "-1", "2-1", "1,", "1,,2", "1 2", "16", "99999999999999999999"};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(cg_list_to_bits(bad[i], got, sizeof got, &len) < 0);
}

/* --- names --- */

static bool clean(const char *path, const char *expected) {
  bool bad;
  char *got = cg_path_clean(path, &bad);
  const bool same = expected ? got && !strcmp(got, expected) : !got && bad;
  free(got);
  return same;
}

static void test_paths(void) {
  EXPECT(clean("/a/b", "/a/b") && clean("a//b/", "/a/b") && clean("/./a/.", "/a") && clean("/", "/") && clean("", "/"));
  EXPECT(clean("/a..b/...", "/a..b/...") && clean("user.slice/x", "/user.slice/x"));
  EXPECT(clean("/a/../b", NULL) && clean("..", NULL) && clean("a/..", NULL) && clean("a\nb", NULL));
  char *above = cg_path_parent("/a/b"), *root = cg_path_parent("/a");
  EXPECT(!strcmp(above, "/a") && !strcmp(root, "/"));
  free(above);
  free(root);
}

static bool scope(const char *cgroups_path, const char *slice, const char *name) {
  struct err err;
  char *got_slice = NULL, *got = NULL;
  int r = cg_scope_parse(cgroups_path, "id", &got_slice, &got, &err);
  const bool same = name ? r == 0 && !strcmp(got_slice, slice) && !strcmp(got, name) : r < 0;
  free(got_slice);
  free(got);
  return same;
}

static void test_scopes(void) {
  EXPECT(scope(NULL, "", "podrt-id.scope") && scope("", "", "podrt-id.scope"));
  EXPECT(scope("machine.slice:libpod:abc", "machine.slice", "libpod-abc.scope"));
  EXPECT(scope("user-libpod_pod_1.slice:libpod:abc", "user-libpod_pod_1.slice", "libpod-abc.scope"));
  EXPECT(scope(":libpod:abc", "", "libpod-abc.scope") && scope("-.slice::abc", "-.slice", "abc.scope"));
  EXPECT(scope("/a/b", NULL, NULL) && scope("a.slice:b", NULL, NULL) && scope("a:b:c", NULL, NULL) && scope("-a.slice:b:c", NULL, NULL));
  EXPECT(scope("a--b.slice:b:c", NULL, NULL) && scope("../x.slice:b:c", NULL, NULL) && scope("a.slice:b:../c", NULL, NULL));
}

/* --- layouts --- */

static const char hybrid[] =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 /docker/x /sys/fs/cgroup/mem\\040ory rw - cgroup cgroup rw,memory\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
    "42 31 0:39 / /sys/fs/cgroup/other rw,relatime - cgroup cgroup rw,name=other\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
    "43 31 0:38 / /mnt/again rw,relatime - cgroup2 cgroup2 rw\n";
static const char processes[] =
    "9:name=other:/o\n8:name=systemd:/user.slice/a.scope\n4:memory:/docker/x/in\n1:cpu,cpuacct:/docker/x\n0::/../y\n";

static bool path_is(const struct cg_hierarchy *h, const char *text, const char *expected) {
  char *path = cg_path_parse(text, h);
  const bool same = expected ? path && !strcmp(path, expected) : !path;
  free(path);
  return same;
}

static void test_layouts(void) {
  struct cg_layout l;
  EXPECT(cg_layout_parse(hybrid, &l) == 0);
  EXPECT(l.n == 4 && l.v2 == 3 && !l.unified);
  EXPECT(l.h[0].controllers == (1u << CG_CPU | 1u << CG_CPUACCT) && !strcmp(l.h[1].mount, "/sys/fs/cgroup/mem ory"));
  EXPECT(l.h[3].v2 && !strcmp(l.h[3].mount, "/sys/fs/cgroup/unified"));
  EXPECT(path_is(&l.h[0], processes, "/docker/x") && path_is(&l.h[1], processes, "/in"));
  EXPECT(path_is(&l.h[2], processes, "/user.slice/a.scope") && path_is(&l.h[3], processes, NULL));
  EXPECT(path_is(&l.h[3], "0::/", "/") && path_is(&l.h[3], "", NULL) && path_is(&l.h[0], "x", NULL));
  cg_layout_free(&l);
  EXPECT(cg_layout_parse("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n", &l) == 0 && l.unified);
  cg_layout_free(&l);
  EXPECT(cg_layout_parse("", &l) == 0 && l.n == 0 && l.v2 == -1 && !l.unified);
  EXPECT(cg_controllers_parse("cpuset cpu io memory new\n", " \n") == (1u << CG_CPUSET | 1u << CG_CPU | 1u << CG_IO | 1u << CG_MEMORY));
  EXPECT(!strcmp(cg_controller_name(CG_IO, false), "blkio") && !strcmp(cg_controller_name(CG_IO, true), "io"));
}

static void test_needs(void) {
  struct oci_resources r;
  struct oci_unified hugetlb = {"hugetlb.2MB.max", "0"};
  oci_resources_init(&r);
  EXPECT(cg_needs(&r) == 0);
  r.memory_limit = -1;
  r.pids_limit = -1;
  r.cpu_quota = -1;
  EXPECT(cg_needs(&r) == 0);
  r.pids_limit = 10;
  r.unified = &hugetlb;
  r.n_unified = 1;
  EXPECT(cg_needs(&r) == (1u << CG_PIDS | 1u << CG_HUGETLB));
}

/* --- properties --- */

/* Whether the message has the property, with a value of that signature. */
static bool has(const struct dbus_out *o, const char *name, const char *signature) {
  char wanted[80];
  const size_t len = strlen(name) + 1;
  memcpy(wanted, name, len);
  wanted[len] = (char)strlen(signature);
  strcpy(wanted + len + 1, signature);
  return memmem(o->buf, o->len, wanted, len + 2 + strlen(signature)) != NULL;
}

static void test_properties(void) {
  unsigned char buf[4096];
  struct dbus_out o = {.buf = buf, .size = sizeof buf};
  struct cg_unknown unknown = {.n = 1, .name = {"AllowedCPUs"}};
  const struct cg_properties p = {.o = &o, .unknown = &unknown};
  struct oci_resources r;
  struct err err;
  oci_resources_init(&r);
  r.memory_limit = 1000;
  r.memory_swap = 3000;
  r.cpu_shares = 1024;
  r.cpu_quota = 50000;
  r.pids_limit = -1;
  r.cpus = "0-1";
  EXPECT(cg_properties_limits(&p, &r, true, &err) == 0 && !o.full);
  EXPECT(has(&o, "MemoryMax", "t") && has(&o, "MemorySwapMax", "t") && has(&o, "CPUWeight", "t") && has(&o, "TasksMax", "t"));
  EXPECT(has(&o, "CPUQuotaPerSecUSec", "t") && !has(&o, "AllowedCPUs", "ay") && !has(&o, "MemoryLow", "t"));
  o.len = 0;
  EXPECT(cg_properties_limits(&p, &r, false, &err) == 0);
  EXPECT(has(&o, "MemoryLimit", "t") && has(&o, "CPUShares", "t") && !has(&o, "MemorySwapMax", "t"));
  r.cpus = "x";
  unknown.n = 0;
  EXPECT(cg_properties_limits(&p, &r, true, &err) < 0);
  o.len = 0;
  EXPECT(cg_properties_devices(&p, &r, &err) == 0 && has(&o, "DeviceAllow", "a(ss)") && memmem(buf, o.len, "/dev/char/1:3", 14));
}

static void test_annotations(void) {
  unsigned char buf[4096];
  struct dbus_out o = {.buf = buf, .size = sizeof buf};
  const struct cg_properties p = {.o = &o};
  struct err err;
  const struct oci_pair good[] = {{"other", "x"},
                                  {"org.systemd.property.TimeoutStopSec", "uint64 7"},
                                  {"org.systemd.property.KillSignal", "9"},
                                  {"org.systemd.property.SendSIGHUP", "true"},
                                  {"org.systemd.property.CollectMode", "'inactive'"},
                                  {"org.systemd.property.After", "['a.service', \"b.service\"]"},
                                  {"org.systemd.property.Requires", "[]"}};
  EXPECT(cg_properties_annotations(&p, good, N_ELEMENTS(good), &err) == 0 && !o.full);
  EXPECT(has(&o, "TimeoutStopUSec", "t") && has(&o, "KillSignal", "i") && has(&o, "SendSIGHUP", "b") && has(&o, "CollectMode", "s"));
  EXPECT(has(&o, "After", "as") && !memmem(buf, o.len, "other", 5));
  const struct oci_pair bad[] = {{"org.systemd.property.X", "1"},          {"org.systemd.property.Abc", "'x"},
                                 {"org.systemd.property.Abc", "['a'"},     {"org.systemd.property.A b", "1"},
                                 {"org.systemd.property.Abc", "nonsense"}, {"org.systemd.property.Abc", "99999999999"},
                                 {"org.systemd.property.Abc", "'a' b"},    {"org.systemd.property.AbcSec", "-1"}};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(cg_properties_annotations(&p, &bad[i], 1, &err) < 0);
}

/* --- the state file --- */

static void test_state(void) {
  struct err err;
  struct oci_cgroup cg = {.manager = OCI_CGROUP_SYSTEMD, .unified = true, .path = (char *)"/a/b.scope", .scope = (char *)"b.scope"},
                    back = {0};
  json_t *tree = oci_cgroup_to_json(&cg);
  EXPECT(oci_cgroup_from_json(tree, &back, &err) == 0);
  EXPECT(back.manager == OCI_CGROUP_SYSTEMD && back.unified && !strcmp(back.path, "/a/b.scope") && !strcmp(back.scope, "b.scope"));
  oci_cgroup_free(&back);
  const char *const bad[] = {"/", "a", "/a/../b", "", "/a/"};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
    (void)json_object_set_new(tree, "path", json_string(bad[i]));
    EXPECT(oci_cgroup_from_json(tree, &back, &err) < 0);
  }
  json_decref(tree);
  cg = (struct oci_cgroup){.manager = OCI_CGROUP_DISABLED};
  tree = oci_cgroup_to_json(&cg);
  EXPECT(oci_cgroup_from_json(tree, &back, &err) == 0 && back.manager == OCI_CGROUP_DISABLED && !back.path);
  json_decref(tree);
}

int main(void) {
  test_weights();
  test_swap();
  test_quota();
  test_lists();
  test_paths();
  test_scopes();
  test_layouts();
  test_needs();
  test_properties();
  test_annotations();
  test_state();
  return expect_end("oci_cgroup");
}
