/* Turning a process into the container's: see identity.h. */
#include "identity.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "labels.h"

/* The bundle's own groups (additionalGids), after those that were looked up; then what else /etc/group says. */
static int add_groups(const struct bundle *b, int root, struct user *u, struct err *err) {
  if (b->strict_groups) u->n_groups = 0;
  if (b->n_groups > USER_GROUPS_MAX - u->n_groups) return err_set(err, E2BIG, "user", "groups");
  for (size_t i = 0; i < b->n_groups; i++) u->groups[u->n_groups++] = b->groups[i];
  u->n_firm = u->n_groups;
  if (!b->strict_groups) user_merge(root, u);
  return 0;
}

int identity_user(const struct bundle *b, const char *words, int root, struct user *ret, struct err *err) {
  const bool other = words;
  if (!words) words = b->user_name;
  if (words) {
    int r = user_lookup(root, words, ret, err);
    if (r == 0 && other) ret->n_firm = ret->n_groups;
    return r < 0 || other ? r : add_groups(b, root, ret, err);
  }
  *ret = (struct user){.uid = b->uid, .gid = b->gid};
  user_home(root, b->uid, ret->home);
  return add_groups(b, root, ret, err);
}

int identity_detach(struct err *err) {
  sigset_t none;
  sigemptyset(&none);
  /* Ignored signals stay ignored through exec, and systemd ignores SIGPIPE for its services. */
  for (int s = 1; s < NSIG; s++) (void)signal(s, SIG_DFL);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) return err_set(err, errno, "sigprocmask", "%s", "");
  umask(022);
  if (setsid() < 0 && errno != EPERM) return err_set(err, errno, "setsid", "%s", "");
  /* Else the container would hold the keys of the user's own session. Not everywhere are there keyrings, or one is left in the quota. */
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS && errno != EPERM && errno != EDQUOT)
    return err_set(err, errno, "keyring", "%s", "");
  return 0;
}

static int set_limits(const struct bundle *b, struct err *err) {
  for (size_t i = 0; i < b->n_rlimits; i++) {
    const struct bundle_rlimit *l = &b->rlimits[i];
    const struct rlimit64 want = {.rlim_cur = l->soft, .rlim_max = l->hard};
    if (prlimit64(0, (unsigned)l->resource, &want, NULL) < 0)
      return err_set(err, errno, "rlimit", "process.rlimits[%zu]%s", i,
                     errno == EPERM ? ": above the hard limit of the user's manager (systemd: DefaultLimit…=)" : "");
  }
  return 0;
}

static int set_ids(const struct user *u, struct err *err) {
  gid_t groups[USER_GROUPS_MAX];
  for (size_t i = 0; i < u->n_groups; i++) groups[i] = u->groups[i];
  int r = setgroups(u->n_groups, groups);
  if (r < 0 && u->n_firm < u->n_groups) r = setgroups(u->n_firm, groups);
  /* Where one id is mapped setgroups is denied for good; the groups we keep are the user's own and mean nothing inside. */
  if (r < 0 && !(errno == EPERM && !u->n_firm))
    return err_set(err, errno, "groups", "%s", errno == EINVAL ? "one is not mapped in the user namespace (/etc/subgid)" : "");
  if (setresgid(u->gid, u->gid, u->gid) < 0)
    return err_set(err, errno, "group", "%u%s", u->gid, errno == EINVAL ? " is not mapped in the user namespace (/etc/subgid)" : "");
  if (setresuid(u->uid, u->uid, u->uid) < 0)
    return err_set(err, errno, "user", "%u%s", u->uid, errno == EINVAL ? " is not mapped in the user namespace (/etc/subuid)" : "");
  return 0;
}

int identity_apply(const struct bundle *b, const struct user *user, struct err *err) {
  int r = set_limits(b, err);
  /* From here on what counts is said to /proc, which the container's root has. */
  if (r == 0 && b->apparmor) {
    cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    r = root < 0 ? err_set(err, errno, "open", "/") : labels_apparmor(root, b->apparmor, err);
  }
  if (r < 0) return r;
  if (b->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return err_set(err, errno, "no_new_privs", "%s", "");
  if (!b->unconfined) {
    /* While we have CAP_SYS_ADMIN in the user namespace: else loading would force no_new_privs on the payload. */
    struct filter_program program;
    r = b->seccomp ? filter_profile(b->seccomp, b->caps.bounding, &program, err) : filter_default(b->caps.bounding, &program, err);
    if (r == 0) r = filter_load(&program, err);
    free(program.owned);
    if (r < 0) return r;
  }
  /* Needs CAP_SETPCAP, which the change of user takes. */
  r = caps_bound(b->caps.bounding, err);
  if (r < 0) return r;
  /* The permitted set outlives the change of user, for caps_apply to choose from it. exec takes the flag away. */
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return err_set(err, errno, "keepcaps", "%s", "");
  r = set_ids(user, err);
  if (r < 0) return r;
  /* A change of ids sets it to fs.suid_dumpable, which an administrator may have set to 1. */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "%s", "");
  struct cap_sets sets = b->caps;
  /* What a user other than root has after exec are the ambient ones alone; no reason to have more until then. */
  if (user->uid != 0) sets.effective = sets.permitted = sets.ambient;
  return caps_apply(&sets, err);
}
