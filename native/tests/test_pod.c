/* What infra makes of its bundle and of the host: configuration, sysctls, resolv.conf, default routes. */
#include <fcntl.h>
#include <sched.h>

#include "expect.h"
#include "lib/infra_conf.h"
#include "lib/podfiles.h"
#include "lib/podns.h"
#include "lib/route.h"

static char base[] = "/tmp/test_pod.XXXXXX";

static int read_conf(const char *text, struct infra_conf *ret) {
  struct err err;
  char path[64];
  snprintf(path, sizeof path, "%s/config.json", base);
  FILE *f = fopen(path, "w");
  if (!f) abort();
  fputs(text, f);
  fclose(f);
  return infra_conf_read(base, ret, &err);
}

#define NOTES "\"io.podgen.pod\":\"web\",\"io.podgen.unit\":\"u\",\"io.podgen.run-dir\":\"pods/web/_infra\""

static void test_conf(void) {
  struct infra_conf c;
  struct err err;
  EXPECT(infra_conf_read("/nonexistent", &c, &err) == -ENOENT);
  EXPECT(
      read_conf(
          "{\"linux\":{\"namespaces\":[{\"type\":\"network\"},{\"type\":\"pid\"}],\"sysctl\":{\"net.a\":\"1\"}},\"annotations\":{" NOTES
          ",\"io.podgen.uplink\":\"pasta\",\"io.podgen.memory-volumes\":\"[\\\"/a/b\\\",{\\\"path\\\":\\\"/c\\\",\\\"size\\\":4096}]\"}}",
          &c) == 0);
  EXPECT(c.network && c.pid && !c.ipc && !c.uts && c.pasta && !strcmp(c.hostname, "web") && json_array_size(c.memory_volumes) == 2);
  infra_conf_free(&c);
  static const char *const bad[] = {
      "",
      "[]",
      "{}",
      "{\"annotations\":{\"io.podgen.pod\":\"web\"}}",
      "{\"annotations\":{" NOTES ",\"io.podgen.uplink\":\"slirp\"}}",
      "{\"annotations\":{" NOTES ",\"io.podgen.memory-volumes\":\"{}\"}}",
      "{\"annotations\":{" NOTES ",\"io.podgen.memory-volumes\":\"[\\\"a\\\"]\"}}",
      "{\"annotations\":{" NOTES ",\"io.podgen.memory-volumes\":\"[{\\\"path\\\":\\\"/c\\\"}]\"}}",
      "{\"annotations\":{" NOTES ",\"io.podgen.memory-volumes\":\"[{\\\"size\\\":1}]\"}}",
      "{\"annotations\":{" NOTES "},\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}}",
      "{\"annotations\":{" NOTES "},\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/x\"}]}}",
      "{\"annotations\":{" NOTES "},\"linux\":{\"sysctl\":{\"net.a\":1}}}",
  };
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(read_conf(bad[i], &c) == -EINVAL);
}

static void test_sysctl(void) {
  EXPECT(podns_sysctl_namespace("net.ipv4.ip_forward") == CLONE_NEWNET);
  EXPECT(podns_sysctl_namespace("kernel.shmmax") == CLONE_NEWIPC && podns_sysctl_namespace("kernel.sem") == CLONE_NEWIPC);
  EXPECT(podns_sysctl_namespace("fs.mqueue.msg_max") == CLONE_NEWIPC);
  EXPECT(podns_sysctl_namespace("kernel.core_pattern") == 0 && podns_sysctl_namespace("vm.swappiness") == 0);
}

static void expect_resolv(const char *host, const char *wanted) {
  char *text = podfiles_resolv_conf(host);
  EXPECT(text && !strcmp(text, wanted));
  if (text && strcmp(text, wanted)) fprintf(stderr, "got: %s", text);
  free(text);
}

static void test_resolv(void) {
  expect_resolv("", "nameserver 169.254.1.1\n");
  expect_resolv("nameserver 127.0.0.53\noptions edns0 trust-ad\nsearch lan\n",
                "nameserver 169.254.1.1\noptions edns0 trust-ad\nsearch lan\n");
  expect_resolv("# note\nnameserver\t10.0.0.1 # x\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver fd00::1\nnameserver 10.0.0.3\n",
                "nameserver 169.254.1.1\nnameserver 10.0.0.1\nnameserver fd00::1\n");
}

static void test_route(void) {
  static const char head[] = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
  static const char lan[] = "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
  char text[512];
  EXPECT(!route_has_default("", "") && !route_has_default(head, ""));
  snprintf(text, sizeof text, "%s%s", head, lan);
  EXPECT(!route_has_default(text, ""));
  snprintf(text, sizeof text, "%s%seth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n", head, lan);
  EXPECT(route_has_default(text, ""));
  snprintf(text, sizeof text, "%s*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0\n", head);
  EXPECT(!route_has_default(text, "")); /* unreachable */
#define ZERO "00000000000000000000000000000000"
  EXPECT(route_has_default("", ZERO " 00 " ZERO " 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003 eth0\n"));
  EXPECT(!route_has_default("", ZERO " 00 " ZERO " 00 " ZERO " ffffffff 00000001 00000000 00200200       lo\n"));
  EXPECT(!route_has_default("", "fd000000000000000000000000000000 40 " ZERO " 00 " ZERO " 00000100 00000001 00000000 00000001 eth0\n"));
}

int main(void) {
  if (!mkdtemp(base)) return 1;
  test_conf();
  test_sysctl();
  test_resolv();
  test_route();
  char path[64];
  snprintf(path, sizeof path, "%s/config.json", base);
  unlink(path);
  rmdir(base);
  return expect_end("pod");
}
