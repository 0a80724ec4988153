/* linux.resources: what is read, and what is refused with the place where it stands. */
#include "expect.h"
#include "lib/jsonload.h"
#include "oci/resources.h"

static json_t *tree;

static int parse(const char *text, struct oci_resources *r, struct err *err) {
  tree = json_load(text, strlen(text), NULL);
  EXPECT(tree != NULL);
  return oci_resources_parse(tree, "linux.resources", r, err);
}

static void test_all(void) {
  static const char text[] =
      "{\"memory\":{\"limit\":1000,\"reservation\":-1,\"swap\":2000,\"swappiness\":60,\"disableOOMKiller\":true,\"checkBeforeUpdate\":"
      "false},"
      "\"cpu\":{\"shares\":18446744073709551615,\"quota\":-1,\"burst\":5,\"period\":100000,\"idle\":1,\"cpus\":\"0-1\",\"mems\":\"0\"},"
      "\"pids\":{\"limit\":-1},\"network\":{\"classID\":4294967295,\"priorities\":[{\"name\":\"eth0\",\"priority\":3}]},"
      "\"blockIO\":{\"weight\":500,\"weightDevice\":[{\"major\":8,\"minor\":0,\"weight\":10}],"
      "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":600}],\"throttleWriteIOPSDevice\":[{\"major\":8,\"minor\":16,\"rate\":"
      "3}]},"
      "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":18446744073709551615}],"
      "\"rdma\":{\"mlx5_1\":{\"hcaHandles\":3}},\"unified\":{\"memory.high\":\"100\",\"cgroup.max.depth\":\"2\"},"
      "\"devices\":[{\"allow\":false},{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"mr\"}]}";
  struct oci_resources r;
  struct err err;
  EXPECT(parse(text, &r, &err) == 0);
  EXPECT(r.memory_limit == 1000 && r.memory_reservation == -1 && r.memory_swap == 2000 && r.memory_swappiness == 60);
  EXPECT(r.memory_kernel == OCI_UNSET && r.disable_oom_killer == 1 && r.check_before_update == 0 && r.use_hierarchy == -1);
  EXPECT(r.cpu_shares == INT64_MAX && r.cpu_quota == -1 && r.cpu_burst == 5 && r.cpu_idle == 1 && r.cpu_realtime_period == OCI_UNSET);
  EXPECT(!strcmp(r.cpus, "0-1") && !strcmp(r.mems, "0") && r.pids_limit == -1 && r.net_class == UINT32_MAX);
  EXPECT(r.n_net_priorities == 1 && r.net_priorities[0].priority == 3 && r.block_weight == 500 && r.n_weight_devices == 1);
  EXPECT(r.rates[OCI_READ_BPS].n == 1 && r.rates[OCI_WRITE_IOPS].rate[0].minor == 16 && r.rates[OCI_WRITE_BPS].n == 0);
  EXPECT(r.n_huge_pages == 1 && r.huge_pages[0].limit == INT64_MAX && r.n_rdma == 1 && r.rdma[0].objects == OCI_UNSET);
  EXPECT(r.n_unified == 2 && r.has_devices && r.n_devices == 2);
  EXPECT(r.devices[0].type == 'a' && r.devices[0].major == -1 && !strcmp(r.devices[0].access, "rwm"));
  EXPECT(r.devices[1].allow && r.devices[1].minor == 3 && !strcmp(r.devices[1].access, "rm"));
  oci_resources_free(&r);
  EXPECT(r.n_devices == 0 && r.memory_limit == OCI_UNSET);
  json_decref(tree);
}

static void test_nothing(void) {
  struct oci_resources r;
  struct err err;
  EXPECT(oci_resources_parse(NULL, "", &r, &err) == 0 && r.cpu_shares == OCI_UNSET && !r.has_devices);
  EXPECT(parse("{\"memory\":null,\"devices\":null,\"unknown\":1,\"unified\":{}}", &r, &err) == 0 && !r.has_devices);
  oci_resources_free(&r);
  json_decref(tree);
}

static void test_refused(void) {
  static const struct {
    const char *text, *where;
  } bad[] = {{"{\"memory\":{\"limit\":\"1\"}}", "linux.resources.memory.limit"},
             {"{\"memory\":{\"swappiness\":101}}", "linux.resources.memory.swappiness"},
             {"{\"cpu\":{\"idle\":2}}", "linux.resources.cpu.idle"},
             {"{\"cpu\":[]}", "linux.resources.cpu"},
             {"{\"devices\":[{}]}", "linux.resources.devices[0].allow"},
             {"{\"devices\":[{\"allow\":true,\"type\":\"x\"}]}", "linux.resources.devices[0].type"},
             {"{\"devices\":[{\"allow\":true,\"access\":\"rx\"}]}", "linux.resources.devices[0].access"},
             {"{\"hugepageLimits\":[{\"pageSize\":\"../2MB\",\"limit\":1}]}", "pageSize"},
             {"{\"hugepageLimits\":[{\"pageSize\":\"2MB\"}]}", "limit"},
             {"{\"network\":{\"priorities\":[{\"name\":\"a b\",\"priority\":1}]}}", "name"},
             {"{\"unified\":{\"../memory.max\":\"1\"}}", "unified"},
             {"{\"unified\":{\"a/b.c\":\"1\"}}", "unified"},
             {"{\"unified\":{\"cgroup.procs\":\"1\"}}", "cgroup.procs"},
             {"{\"unified\":{\"cgroup.kill\":\"1\"}}", "cgroup.kill"},
             {"{\"unified\":{\".x\":\"1\"}}", "unified"},
             {"{\"unified\":{\"tasks\":\"1\"}}", "unified"},
             {"{\"unified\":{\"memory.max\":1}}", "memory.max"},
             {"{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0}]}}", "rate"},
             {"{\"rdma\":{\"x y\":{}}}", "rdma"}};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
    struct oci_resources r;
    struct err err = {0};
    EXPECT(parse(bad[i].text, &r, &err) < 0);
    EXPECT(strstr(err.what, bad[i].where) != NULL);
    json_decref(tree);
  }
}

static void test_not_on_v2(void) {
  struct oci_resources r;
  struct err err;
  size_t next = 0;
  EXPECT(parse("{\"memory\":{\"limit\":1,\"swappiness\":0,\"disableOOMKiller\":true,\"kernel\":-1},\"blockIO\":{\"leafWeight\":10}}", &r,
               &err) == 0);
  EXPECT(!strcmp(oci_resources_not_on_v2(&r, &next), "memory.swappiness"));
  EXPECT(!strcmp(oci_resources_not_on_v2(&r, &next), "memory.disableOOMKiller"));
  EXPECT(!strcmp(oci_resources_not_on_v2(&r, &next), "blockIO.leafWeight") && !oci_resources_not_on_v2(&r, &next));
  oci_resources_free(&r);
  json_decref(tree);
}

int main(void) {
  test_all();
  test_not_on_v2();
  test_nothing();
  test_refused();
  return expect_end("oci_resources");
}
