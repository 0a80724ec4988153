/* Bundles: what is read out of a good one; that each wrong type, limit and unknown word is refused with its JSON path. */
#include "lib/bundle.h"

#include <sys/resource.h>

#include "expect.h"

#define NOTES                                                                                                               \
  "\"io.podgen.unit\":\"pod-web_app.service\",\"io.podgen.identifier\":\"web/app\",\"io.podgen.run-dir\":\"pods/web/app\"," \
  "\"io.podgen.join\":\"pods/web/_infra\""
#define LAYERS "\"io.podgen.rootfs\":\"{\\\"layers\\\":[\\\"/l/1\\\",\\\"/l/2\\\"],\\\"upper\\\":\\\"/u\\\"}\""

/* A bundle whose process, annotations and rest have words added. */
static char *text_of(const char *process, const char *notes, const char *rest) {
  return xformat("{\"process\":{\"args\":[\"a\"]%s},\"annotations\":{" NOTES "%s}%s}", process, notes, rest);
}

static int parse(const char *text, struct bundle *ret, struct err *err) {
  return bundle_parse(text, strlen(text), "/b", ret, err);
}

static void test_good(void) {
  cleanup_free char *text = text_of(
      ",\"terminal\":true,\"env\":[\"A=1\",\"B=\"],\"cwd\":\"/srv\",\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7,8]},"
      "\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_SYS_CHROOT\"]},\"noNewPrivileges\":true,\"oomScoreAdj\":100,"
      "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":10,\"hard\":-1}],\"newer\":{\"x\":1}",
      "," LAYERS
      ",\"io.podgen.secret-env\":\"{\\\"P\\\":\\\"/s/"
      "p\\\"}\",\"io.podgen.seccomp\":\"unconfined\",\"io.podgen.backoff\":\"true\",\"io.podgen.cgroup\":\"rw\","
      "\"io.podgen.notify\":\"container\",\"io.podgen.sockets\":\"a.socket b.socket\","
      "\"io.podgen.post-start\":\"{\\\"exec\\\":[\\\"a\\\",\\\"b c\\\"]}\",\"io.podgen.pre-stop\":\"{\\\"sleep\\\":7}\","
      "\"io.podgen.files\":\"[{\\\"destination\\\":\\\"/etc/s\\\",\\\"readOnly\\\":true,\\\"items\\\":"
      "[{\\\"path\\\":\\\"a/b\\\",\\\"source\\\":\\\"/x\\\",\\\"mode\\\":256}]}]\"",
      ",\"root\":{\"readonly\":true},\"mounts\":[{\"destination\":\"/d\",\"source\":\"/h\",\"options\":[\"ro\"]}],"
      "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"}],\"maskedPaths\":[\"/proc/kcore\"]}");
  struct bundle b;
  struct err err = {0};
  EXPECT(parse(text, &b, &err) == 0);
  EXPECT(b.terminal && b.no_new_privs && b.has_oom && b.oom_score_adj == 100 && b.root_read_only && b.own_pid && b.unconfined && b.backoff);
  EXPECT(b.writable_cgroup && b.notify && b.sockets == 2);
  EXPECT(b.post_start.kind == HOOK_EXEC && !strcmp(b.post_start.args[1], "b c") && !b.post_start.args[2]);
  EXPECT(b.pre_stop.kind == HOOK_SLEEP && b.pre_stop.seconds == 7);
  EXPECT(b.uid == 5 && b.gid == 6 && b.n_groups == 2 && b.groups[1] == 8);
  EXPECT(b.caps.bounding == (1ull | 1ull << 18) && !b.caps.effective);
  EXPECT(b.n_rlimits == 1 && b.rlimits[0].resource == RLIMIT_NOFILE && b.rlimits[0].soft == 10 && b.rlimits[0].hard == RLIM_INFINITY);
  EXPECT(!strcmp(b.env[1], "B=") && !b.env[2] && !strcmp(b.cwd, "/srv"));
  EXPECT(b.has_layers && b.rootfs.driver == ROOTFS_AUTO && b.rootfs.n_layers == 2 && !strcmp(b.rootfs.layers[1], "/l/2"));
  EXPECT(b.n_mounts == 1 && !strcmp(b.mounts[0].type, "bind") && !strcmp(b.mounts[0].options[0], "ro"));
  EXPECT(b.n_files == 1 && b.files[0].read_only && b.files[0].items[0].mode == 0400 && !b.files[0].sub_path);
  EXPECT(b.n_secrets == 1 && !strcmp(b.secrets[0].name, "P") && !strcmp(b.secrets[0].path, "/s/p"));
  EXPECT(!strcmp(b.masked[0], "/proc/kcore") && !b.read_only);
  bundle_free(&b);
}

/* A part that is wrong, and what the message begins with. */
static const struct {
  const char *process, *notes, *rest, *want;
} bad[] = {
    {",\"args\":[\"b\"]", "", "", "/b/config.json:1:"}, /* the same key twice */
    {",\"cwd\":3", "," LAYERS, "", "process.cwd: expected a string"},
    {",\"cwd\":\"srv\"", "," LAYERS, "", "process.cwd: expected an absolute path"},
    {",\"cwd\":\"/a\\u0000b\"", "," LAYERS, "", "/b/config.json:1:"},
    {",\"env\":[\"A=1\",2]", "," LAYERS, "", "process.env[1]: expected a string"},
    {",\"env\":[\"A\"]", "," LAYERS, "", "process.env[0]: expected NAME=value"},
    {",\"env\":\"A=1\"", "," LAYERS, "", "process.env: expected an array"},
    {",\"terminal\":\"yes\"", "," LAYERS, "", "process.terminal: expected true or false"},
    {",\"user\":{\"uid\":-1}", "," LAYERS, "", "process.user.uid: expected a number from 0 to 4294967294"},
    {",\"user\":{\"uid\":4294967295}", "," LAYERS, "", "process.user.uid: expected a number"},
    {",\"user\":{\"uid\":1.5}", "," LAYERS, "", "process.user.uid: expected a whole number"},
    {",\"user\":{\"additionalGids\":[1,\"2\"]}", "," LAYERS, "", "process.user.additionalGids[1]"},
    {",\"capabilities\":{\"bounding\":[\"CAP_CHOWN\",\"CAP_X\"]}", "," LAYERS, "",
     "process.capabilities.bounding[1]: unknown capability CAP_X"},
    {",\"capabilities\":{\"ambient\":[\"CHOWN\"]}", "," LAYERS, "", "process.capabilities.ambient[0]: unknown capability"},
    {",\"rlimits\":[{\"type\":\"RLIMIT_X\",\"soft\":1,\"hard\":1}]", "," LAYERS, "", "process.rlimits[0].type: unknown limit"},
    {",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,\"hard\":1}]", "," LAYERS, "", "process.rlimits[0].soft: above"},
    {",\"oomScoreAdj\":1001", "," LAYERS, "", "process.oomScoreAdj: expected a number from -1000 to 1000"},
    {"", "", "", "root.path: expected a string"},
    {"", ",\"io.podgen.rootfs\":{}", "", "annotations.io.podgen.rootfs: expected a string"},
    {"", ",\"io.podgen.rootfs\":\"{\"", "", "annotations.io.podgen.rootfs: 1:"},
    {"", ",\"io.podgen.rootfs\":\"[]\"", "", "annotations.io.podgen.rootfs: expected JSON that is an object"},
    {"", ",\"io.podgen.rootfs\":\"{\\\"upper\\\":\\\"/u\\\"}\"", "", "annotations.io.podgen.rootfs.layers: expected one at least"},
    {"", ",\"io.podgen.rootfs\":\"{\\\"upper\\\":\\\"u\\\",\\\"layers\\\":[\\\"/l\\\"]}\"", "",
     "annotations.io.podgen.rootfs.upper: expected an abs"},
    {"", ",\"io.podgen.rootfs\":\"{\\\"upper\\\":\\\"/u\\\",\\\"layers\\\":[\\\"l\\\"]}\"", "",
     "annotations.io.podgen.rootfs.layers[0]: expected"},
    {"", ",\"io.podgen.rootfs\":\"{\\\"upper\\\":\\\"/u\\\",\\\"layers\\\":[\\\"/l\\\"],\\\"driver\\\":\\\"zfs\\\"}\"", "",
     "annotations.io.podgen.rootfs.driver: unknown driver zfs"},
    {"", "," LAYERS ",\"io.podgen.cgroup\":\"rwx\"", "", "annotations.io.podgen.cgroup: expected rw or ro"},
    {"", "," LAYERS ",\"io.podgen.notify\":\"healthy\"", "", "annotations.io.podgen.notify: expected container or conmon"},
    {"", "," LAYERS ",\"io.podgen.sockets\":\"a  b\"", "", "annotations.io.podgen.sockets: expected names of units"},
    {"", "," LAYERS ",\"io.podgen.stdin\":\"yes\"", "", "annotations.io.podgen.stdin: expected open or once"},
    {",\"terminal\":true", "," LAYERS ",\"io.podgen.stdin\":\"once\"", "", "annotations.io.podgen.stdin: there is a terminal"},
    {"", "," LAYERS ",\"io.podgen.message\":\"a\"", "", "annotations.io.podgen.message: expected an absolute path"},
    {"", "," LAYERS ",\"io.podgen.pre-stop\":\"{}\"", "", "annotations.io.podgen.pre-stop: expected one of exec, httpGet and sleep"},
    {"", "," LAYERS ",\"io.podgen.pre-stop\":\"{\\\"sleep\\\":-1}\"", "", "annotations.io.podgen.pre-stop.sleep: "},
    {"", "," LAYERS ",\"io.podgen.post-start\":\"{\\\"exec\\\":[1]}\"", "", "annotations.io.podgen.post-start.exec[0]: "},
    {"", "," LAYERS ",\"io.podgen.seccomp\":\"none\"", "", "annotations.io.podgen.seccomp: expected unconfined or default"},
    {"", "," LAYERS ",\"io.podgen.backoff\":\"1\"", "", "annotations.io.podgen.backoff: expected true or false"},
    {"", "," LAYERS ",\"io.podgen.secret-env\":\"{\\\"A=B\\\":\\\"/x\\\"}\"", "", "annotations.io.podgen.secret-env: A=B is no"},
    {"", "," LAYERS ",\"io.podgen.secret-env\":\"{\\\"A\\\":\\\"x\\\"}\"", "",
     "annotations.io.podgen.secret-env.A: expected an absolute path"},
    {"",
     "," LAYERS
     ",\"io.podgen.files\":\"[{\\\"destination\\\":\\\"/d\\\",\\\"items\\\":[{\\\"path\\\":\\\"../x\\\",\\\"source\\\":\\\"/x\\\"}]}]\"",
     "", "annotations.io.podgen.files[0].items[0].path: expected a relative path"},
    {"", "," LAYERS ",\"io.podgen.files\":\"[{\\\"destination\\\":\\\"/d\\\",\\\"subPath\\\":\\\"/x\\\"}]\"", "",
     "annotations.io.podgen.files[0].subPath"},
    {"", "," LAYERS ",\"io.podgen.files\":\"[3]\"", "", "annotations.io.podgen.files[0]: expected an object"},
    {"", "," LAYERS, ",\"mounts\":[{\"source\":\"/h\"}]", "mounts[0].destination: expected a string"},
    {"", "," LAYERS, ",\"mounts\":[{\"destination\":\"d\",\"source\":\"/h\"}]", "mounts[0].destination: expected an absolute path"},
    {"", "," LAYERS, ",\"mounts\":[{\"destination\":\"/d\"}]", "mounts[0].source: expected an absolute path"},
    {"", "," LAYERS, ",\"mounts\":[{\"destination\":\"/d\",\"source\":\"/h\",\"options\":[1]}]", "mounts[0].options[0]: expected a string"},
    {"", "," LAYERS, ",\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}", "linux.namespaces[0].type: network is the pod's"},
    {"", "," LAYERS, ",\"linux\":{\"maskedPaths\":{}}", "linux.maskedPaths: expected an array"},
    {"", "," LAYERS, ",\"root\":{\"readonly\":1}", "root.readonly: expected true or false"},
};

static void test_bad(void) {
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
    cleanup_free char *text = text_of(bad[i].process, bad[i].notes, bad[i].rest);
    struct bundle b;
    struct err err = {0};
    EXPECT(parse(text, &b, &err) < 0);
    if (strncmp(err.what, bad[i].want, strlen(bad[i].want))) fprintf(stderr, "got: %s\nwant: %s\n", err.what, bad[i].want);
    EXPECT(!strncmp(err.what, bad[i].want, strlen(bad[i].want)));
  }
}

static void test_broken(void) {
  static const char *const texts[] = {"", "{", "[]", "null", "{}", "{\"process\":[]}", "{\"annotations\":{}}"};
  for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
    struct bundle b;
    struct err err = {0};
    EXPECT(parse(texts[i], &b, &err) < 0 && err.what[0]);
  }
  /* Whatever is cut off: an error, and nothing leaks (make asan). */
  cleanup_free char *whole = text_of(",\"env\":[\"A=1\"]", "," LAYERS, ",\"mounts\":[{\"destination\":\"/d\",\"source\":\"/h\"}]");
  for (size_t len = 0; len < strlen(whole); len++) {
    struct bundle b;
    struct err err = {0};
    EXPECT(bundle_parse(whole, len, "/b", &b, &err) < 0);
  }
  struct bundle b;
  struct err err = {0};
  EXPECT(bundle_read("relative", &b, &err) < 0);
  EXPECT(bundle_read("/nowhere/at/all", &b, &err) == -ENOENT);
}

/* Some thousand files of a ConfigMap, of which each names a long path twice: the annotation is far beyond one word's 128 KiB. */
static void test_long(void) {
  enum { ITEMS = 5000 };
  char *text = NULL;
  size_t len;
  FILE *f = open_memstream(&text, &len);
  if (!f) abort();
  fputs("{\"process\":{\"args\":[\"a\"]},\"annotations\":{" NOTES "," LAYERS
        ",\"io.podgen.files\":\"[{\\\"destination\\\":\\\"/etc/c\\\",\\\"items\\\":[",
        f);
  for (int i = 0; i < ITEMS; i++)
    fprintf(f, "%s{\\\"path\\\":\\\"key-%d\\\",\\\"source\\\":\\\"/home/alice/.local/share/podgen/pods/web/_config/x/key-%d\\\"}",
            i ? "," : "", i, i);
  fputs("]}]\"}}", f);
  fclose(f);
  struct bundle b;
  struct err err = {0};
  EXPECT(len > 2 * 128 * 1024 && len < BUNDLE_SIZE_MAX);
  EXPECT(bundle_parse(text, len, "/b", &b, &err) == 0);
  EXPECT(b.n_files == 1 && b.files[0].n_items == ITEMS && !strcmp(b.files[0].items[ITEMS - 1].path, "key-4999"));
  bundle_free(&b);
  free(text);
}

int main(void) {
  test_long();
  test_good();
  test_bad();
  test_broken();
  return expect_end("bundle");
}
