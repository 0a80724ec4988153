/* Users and groups of an image: names, numbers, strange lines. */
#include "lib/user.h"

#include "expect.h"

static const char passwd[] =
    "root:x:0:0:root:/root:/bin/sh\n"
    "# a comment\n"
    "broken:x:12\n"
    "nouid:x:abc:5::/x:\n"
    "huge:x:4294967295:0::/x:\n"
    "web:x:33:44:Web, all:/srv/web:/bin/sh\n"
    "1000:x:7:8::/seven:\n"
    "thousand:x:1000:1001::/home/thousand:/bin/sh\n"
    "nohome:x:50:50:::\n"
    "last:x:60:61::/last";
static const char group[] =
    "root:x:0:\n"
    "web:x:44:\n"
    "extra:x:55:last,web\n"
    "not:x:56:webmaster,aweb\n"
    "short:x:57\n"
    "many:x:58:a,b,c,web";

static void good(const char *words, uint32_t uid, uint32_t gid, const char *home, size_t n_groups) {
  struct user u;
  struct err err = {0};
  EXPECT(user_lookup_in(passwd, group, words, &u, &err) == 0);
  if (u.uid != uid || u.gid != gid || strcmp(u.home, home) || u.n_groups != n_groups)
    fprintf(stderr, "%s: %u %u %s %zu\n", words, u.uid, u.gid, u.home, u.n_groups);
  EXPECT(u.uid == uid && u.gid == gid && !strcmp(u.home, home) && u.n_groups == n_groups);
}

static void bad(const char *words, const char *want) {
  struct user u;
  struct err err = {0};
  EXPECT(user_lookup_in(passwd, group, words, &u, &err) < 0);
  EXPECT(strstr(err.what, want) != NULL);
}

int main(void) {
  good("root", 0, 0, "/root", 0);
  good("web", 33, 44, "/srv/web", 2);
  good("33", 33, 44, "/srv/web", 2);
  good("web:root", 33, 0, "/srv/web", 0);
  good("web:99", 33, 99, "/srv/web", 0);
  good("1000", 7, 8, "/seven", 0); /* a name first, though it looks like a number */
  good("thousand", 1000, 1001, "/home/thousand", 0);
  good("4000", 4000, 0, "/", 0);
  good("4000:web", 4000, 44, "/", 0);
  good("nohome", 50, 50, "/", 0);
  good("last", 60, 61, "/last", 1);
  bad("nobody", "nobody: not in the image's /etc/passwd");
  bad("broken", "broken: not in");
  bad("nouid", "nouid: not in");
  bad("huge", "huge: not in");
  bad("4294967295", "not in");
  bad("99999999999", "not in");
  bad("web:nogroup", "group nogroup: not in the image's /etc/group");
  bad("", "expected NAME");
  bad(":web", "expected NAME");
  bad("web:", "expected NAME");
  bad("-1", "not in");

  char home[512];
  user_home_in(passwd, 1000, home);
  EXPECT(!strcmp(home, "/home/thousand"));
  user_home_in(passwd, 12345, home);
  EXPECT(!strcmp(home, "/"));
  user_home_in("", 0, home);
  EXPECT(!strcmp(home, "/"));

  /* What /etc/group gives a number's user comes behind, once, and is not firm. */
  struct user merged = {.uid = 33, .groups = {55, 7}, .n_groups = 2, .n_firm = 2};
  user_merge_in(passwd, group, &merged);
  EXPECT(merged.n_groups == 3 && merged.n_firm == 2 && merged.groups[2] == 58);
  merged = (struct user){.uid = 4000};
  user_merge_in(passwd, group, &merged);
  EXPECT(merged.n_groups == 0);

  /* A long home and more groups than there is room for are cut, not written past the end. */
  cleanup_free char *wide = malloc(600 + 64);
  sprintf(wide, "w:x:1:1::/%0600d:/bin/sh\n", 0);
  struct user u;
  struct err err;
  EXPECT(user_lookup_in(wide, "", "w", &u, &err) == 0 && !strcmp(u.home, "/"));
  cleanup_free char *groups = malloc(2000 * 20);
  char *p = groups;
  for (int i = 0; i < 2000; i++) p += sprintf(p, "g%d:x:%d:root\n", i, i + 1);
  EXPECT(user_lookup_in(passwd, groups, "root", &u, &err) == 0 && u.n_groups == USER_GROUPS_MAX);
  return expect_end("user");
}
