/* podrt spec and features: what they write is JSON that podrt itself takes. */
#include <fcntl.h>
#include <sys/stat.h>

#include "expect.h"
#include "lib/jsonload.h"
#include "oci/mounts_plan.h"
#include "oci/verbs.h"

static const struct oci_global global;

/* Runs a verb in the folder `dir`, with standard output and standard error in files there. */
static int run(const char *dir, int (*verb)(const struct oci_global *, int, char **), int argc, char **argv) {
  int saved[2] = {dup(1), dup(2)};
  cleanup_free char *out = xformat("%s/out", dir), *complaints = xformat("%s/err", dir);
  fflush(stdout);
  EXPECT(freopen(out, "w", stdout) && freopen(complaints, "w", stderr));
  int r = verb(&global, argc, argv);
  fflush(stdout);
  fflush(stderr);
  for (int i = 0; i < 2; i++) {
    dup2(saved[i], i + 1);
    close(saved[i]);
  }
  return r;
}

static void test_spec(const char *dir, int fd) {
  char *plain[] = {"spec", "--bundle", (char *)dir}, *rootless[] = {"spec", "-b", (char *)dir, "--rootless"};
  struct oci_spec s;
  struct err err = {0};
  EXPECT(run(dir, oci_spec_verb, 3, plain) == 0);
  EXPECT(run(dir, oci_spec_verb, 3, plain) == 1); /* one is there */
  EXPECT(oci_spec_read(fd, &s, &err) == 0);
  EXPECT(s.process.terminal && s.process.no_new_privs && s.root_read_only && s.n_mounts == 7 && s.ns[OCI_NETWORK].listed && !s.n_uid_map);
  EXPECT(s.resources.n_devices == 1 && !s.resources.devices[0].allow);
  oci_spec_free(&s);
  EXPECT(unlinkat(fd, "config.json", 0) == 0 && run(dir, oci_spec_verb, 4, rootless) == 0);
  EXPECT(oci_spec_read(fd, &s, &err) == 0);
  EXPECT(s.n_uid_map == 1 && s.uid_map[0].outside == geteuid() && s.gid_map[0].outside == getegid() && !s.ns[OCI_NETWORK].listed);
  EXPECT(!strcmp(s.mounts[5].source, "/sys") && !s.resources.has_devices);
  for (size_t i = 0; i < s.n_mounts; i++)
    for (size_t k = 0; s.mounts[i].options[k]; k++) EXPECT(strncmp(s.mounts[i].options[k], "gid=", 4) != 0);
  oci_spec_free(&s);
  EXPECT(unlinkat(fd, "config.json", 0) == 0);
}

static void test_features(const char *dir, int fd) {
  char *words[] = {"features"};
  cleanup_free char *text = NULL;
  size_t len = 0, i;
  json_error_t where;
  json_t *name;
  EXPECT(run(dir, oci_features, 1, words) == 0 && read_file_at(fd, "out", 1 << 20, &text, &len) == 0);
  json_t *root = json_load(text, len, &where), *part = json_object_get(root, "linux");
  EXPECT(!strcmp(json_string_value(json_object_get(root, "ociVersionMin")), "1.0.0"));
  EXPECT(json_array_size(json_object_get(root, "hooks")) == 6 && json_array_size(json_object_get(part, "namespaces")) == 8);
  EXPECT(json_array_size(json_object_get(part, "capabilities")) == 41);
  json_array_foreach(json_object_get(part, "capabilities"), i, name) EXPECT(cap_number(json_string_value(name)) == (int)i);
  EXPECT(json_array_size(json_object_get(json_object_get(part, "seccomp"), "actions")) >= 9);
  /* A word that is understood is not left for the file system. */
  EXPECT(json_array_size(json_object_get(root, "mountOptions")) > 60);
  json_array_foreach(json_object_get(root, "mountOptions"), i, name) {
    const char *options[] = {json_string_value(name), NULL};
    const bool copies = strstr(options[0], "copy");
    const struct oci_mount mount = {.destination = "/d", .type = copies ? "tmpfs" : "none", .source = "/s", .options = options};
    struct oci_mount_plan plan;
    struct err err = {0};
    EXPECT(oci_plan_parse(&mount, "", &plan, &err) == 0 && plan.n_data == 0);
    oci_plan_free(&plan);
  }
  json_decref(root);
}

int main(void) {
  char dir[] = "/tmp/podrt-test-XXXXXX";
  if (!mkdtemp(dir)) abort();
  cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  test_spec(dir, fd);
  test_features(dir, fd);
  (void)unlinkat(fd, "out", 0);
  (void)unlinkat(fd, "err", 0);
  EXPECT(rmdir(dir) == 0);
  return expect_end("oci_verbs");
}
