/* Who a container's process is: ids, groups and home folder, by the image's own /etc/passwd and /etc/group. */
#pragma once
#include "util.h"

enum { USER_GROUPS_MAX = 1024 };

struct user {
  uint32_t uid, gid;
  uint32_t groups[USER_GROUPS_MAX]; /* supplementary */
  size_t n_groups;
  size_t n_firm;  /* that many of them must be had; the rest is left out where it cannot be (user_merge) */
  char home[512]; /* of passwd; "/" where it says none */
};

/*
 * Looks up `name[:group]`, each a name or a number. A user of a number alone that passwd does not know has group 0. Without a group
 * the user's own holds and /etc/group's supplementary ones; with a group only that one, as Docker and the kubelet do.
 * -ENOENT with err naming the user or group that is not there.
 */
int user_lookup(int root, const char *words, struct user *ret, struct err *err);
/*
 * Adds, behind those that are there, the groups that /etc/group gives the user of `u->uid`, as Kubernetes has it (supplementalGroupsPolicy:
 * Merge) whatever group and user were asked for. They are not firm: nobody has asked for them by name.
 */
void user_merge(int root, struct user *u);
/* The home folder of a uid. */
void user_home(int root, uint32_t uid, char ret[512]);

/* The same on the files' text; for tests. Either may be "". */
int user_lookup_in(const char *passwd, const char *group, const char *words, struct user *ret, struct err *err);
void user_merge_in(const char *passwd, const char *group, struct user *u);
void user_home_in(const char *passwd, uint32_t uid, char ret[512]);
