/* Options of mounts, environment, capabilities: words to bits, unknown ones refused. */
#include "lib/mountopt.h"

#include "expect.h"
#include "lib/caps.h"
#include "lib/environ.h"

static void test_bind(void) {
  static const char *const words[] = {"rbind",
                                      "rprivate",
                                      "ro",
                                      "nosuid",
                                      "x-podgen.mkdir",
                                      "x-podgen.owner=999:7",
                                      "x-podgen.memory",
                                      "x-podgen.type=FileOrCreate",
                                      "x-podgen.subpath=a/b",
                                      NULL};
  struct mountopt opt;
  struct err err = {0};
  EXPECT(mountopt_parse(words, false, &opt, &err) == 0);
  EXPECT(opt.recursive && opt.make_source && opt.type == SOURCE_FILE_OR_CREATE && !strcmp(opt.sub_path, "a/b"));
  EXPECT(opt.owned && opt.uid == 999 && opt.gid == 7);
  EXPECT(opt.attrs == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID) && opt.recursive_attrs == 0 && opt.propagation == MS_PRIVATE);
  EXPECT(opt.group == -1 && !opt.group_always);
  mountopt_free(&opt);
  static const char *const group[] = {"x-podgen.group=2000", "x-podgen.group-always", "x-podgen.group-reads", NULL};
  EXPECT(mountopt_parse(group, false, &opt, &err) == 0 && opt.group == 2000 && opt.group_always && opt.group_reads);
  mountopt_free(&opt);
  static const char *const more[] = {"rslave", "rro", "noatime", "strictatime", "rw", NULL};
  EXPECT(mountopt_parse(more, false, &opt, &err) == 0);
  EXPECT(opt.propagation == MS_SLAVE && opt.recursive_attrs == MOUNT_ATTR_RDONLY && opt.attrs == MOUNT_ATTR_STRICTATIME && !opt.recursive);
  mountopt_free(&opt);
}

static void refused(const char *word) {
  const char *const words[] = {"ro", word, NULL};
  struct mountopt opt;
  struct err err = {0};
  EXPECT(mountopt_parse(words, false, &opt, &err) < 0);
  EXPECT(!strncmp(err.what, word, strlen(word)));
}

static void test_data(void) {
  static const char *const words[] = {"nosuid", "size=64m", "mode=1777", "huge", NULL};
  struct mountopt opt;
  struct err err = {0};
  EXPECT(mountopt_parse(words, true, &opt, &err) == 0);
  EXPECT(opt.n_data == 3 && !strcmp(opt.data[0].key, "size") && !strcmp(opt.data[0].value, "64m") && !opt.data[2].value);
  mountopt_free(&opt);
  static const char *const own[] = {"size=1m", "x-podgen.what", NULL};
  EXPECT(mountopt_parse(own, true, &opt, &err) < 0);
}

static void test_environment(void) {
  struct environment env = {0};
  char name[16];
  for (int i = 0; i < 200; i++) {
    sprintf(name, "N%d", i % 100);
    EXPECT(environment_set(&env, name, i < 100 ? "old" : "new") == 0);
  }
  EXPECT(env.n == 100 && !strcmp(environment_get(&env, "N99"), "new") && !environment_get(&env, "N") && !env.vars[100]);
  EXPECT(environment_defaults(&env, "/root", false) == 0 && !strcmp(environment_get(&env, "HOME"), "/root") &&
         !environment_get(&env, "TERM"));
  EXPECT(environment_add(&env, "HOME=/else") == 0 && environment_defaults(&env, "/root", true) == 0);
  EXPECT(!strcmp(environment_get(&env, "HOME"), "/else") && !strcmp(environment_get(&env, "TERM"), "xterm"));
  environment_free(&env);
  /* A secret that is not there is named by its variable. */
  struct bundle_secret secret = {.name = "PASSWORD", .path = "/nowhere/secret"};
  struct bundle b = {.secrets = &secret, .n_secrets = 1};
  struct err err = {0};
  EXPECT(environment_make(&b, &env, &err) == -ENOENT && strstr(err.what, "PASSWORD"));
}

int main(void) {
  test_bind();
  static const char *const unknown[] = {"rshared",
                                        "size=1m",
                                        "",
                                        "x-podgen.type=Dir",
                                        "x-podgen.type=",
                                        "x-podgen.subpath=",
                                        "x-podgen.other",
                                        "RO",
                                        "x-podgen.group=",
                                        "x-podgen.group=-1",
                                        "x-podgen.owner=1",
                                        "x-podgen.owner=1:4294967295"};
  for (size_t i = 0; i < N_ELEMENTS(unknown); i++) refused(unknown[i]);
  test_data();
  test_environment();
  EXPECT(cap_number("CAP_CHOWN") == 0 && cap_number("CAP_CHECKPOINT_RESTORE") == 40 && cap_number("CAP_AUDIT_WRITE") == 29);
  EXPECT(cap_number("CHOWN") < 0 && cap_number("CAP_") < 0 && cap_number("cap_chown") < 0 && cap_number("CAP_41") < 0);
  return expect_end("mountopt");
}
