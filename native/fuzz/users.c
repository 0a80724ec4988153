/* An image's passwd and group: WORDS NUL PASSWD NUL GROUP. */
#include "fuzz.h"
#include "lib/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_free char *words = fuzz_part(&data, &size), *passwd = fuzz_part(&data, &size), *group = fuzz_part(&data, &size);
  static struct user user;
  struct err err = {0};
  char home[512];
  if (user_lookup_in(passwd, group, words, &user, &err) == 0) {
    PROMISE(user.uid != UINT32_MAX && user.gid != UINT32_MAX && user.n_groups <= USER_GROUPS_MAX && user.home[0] == '/');
    user_home_in(passwd, user.uid, home);
    PROMISE(home[0] == '/');
  } else {
    PROMISE(err.what[0]);
  }
  return 0;
}
