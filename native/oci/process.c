/* Turning a process into an OCI container's: see process.h. Here: identity and rights. */
#include "process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "lib/command.h"
#include "lib/inroot.h"
#include "lib/labels.h"

/* --- labels --- */

static int set_labels(const struct oci_become *b, struct err *err) {
  const struct oci_process *p = b->process;
  if (p->selinux && *p->selinux) {
    int r = labels_write(b->root, "thread-self/attr/exec", p->selinux);
    if (r < 0) return err_set(err, -r, "selinuxLabel", "%s%s", p->selinux, r == -EINVAL ? ": no label of the loaded policy" : "");
  }
  return p->apparmor && *p->apparmor ? labels_apparmor(b->root, p->apparmor, err) : 0;
}

/* --- signals, keys, descriptors --- */

/*
 * Else the container would hold the keys of the caller's session. A quota that is used up is no reason to let it: a container of the
 * same user could have seen to that before somebody comes by exec. With the container's label, to which a policy gives its own keys.
 */
static int new_keyring(const struct oci_become *b, struct err *err) {
  static const char path[] = "thread-self/attr/keycreate";
  const char *label = b->process->selinux;
  int r = label && *label ? labels_write(b->root, path, label) : 0;
  if (r < 0) return err_set(err, -r, "keyring", "selinuxLabel %s%s", label, r == -EINVAL ? ": no label of the loaded policy" : "");
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS && errno != EPERM)
    return err_set(err, errno, "keyring", "%s", errno == EDQUOT ? "see /proc/key-users, and --no-new-keyring" : "");
  if (label && *label) (void)labels_write(b->root, path, "\n");
  return 0;
}

static int detach(const struct oci_become *b, struct err *err) {
  sigset_t none;
  sigemptyset(&none);
  for (int s = 1; s < NSIG; s++) (void)signal(s, SIG_DFL);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) return err_set(err, errno, "sigprocmask", "%s", "");
  return b->keep_keyring ? 0 : new_keyring(b, err);
}

/*
 * The container's user may open what it was given as /dev/stdout. Pipes alone, as engines give them: a file, or a person's terminal,
 * would be that user's for good. What is not ours to give stays as it is.
 */
static void own_stdio(const struct oci_process *p) {
  for (int fd = 0; p->uid && fd < 3; fd++) {
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_uid == p->uid || !S_ISFIFO(st.st_mode)) continue;
    (void)fchown(fd, p->uid, (gid_t)-1);
  }
}

/*
 * Not chdir(2): it could be called /proc/self/fd/7 (CVE-2024-21626). With the rights of root, before they go.
 */
static int enter_cwd(const struct oci_become *b, struct err *err) {
  const char *cwd = b->process->cwd;
  cleanup_fd int dir = inroot_open(b->root, cwd, O_PATH | O_DIRECTORY, INROOT);
  if (dir < 0 || fchdir(dir) < 0) return err_set(err, dir < 0 ? -dir : errno, "cwd", "%s", cwd);
  return 0;
}

/* --- ids --- */

static int set_ids(const struct oci_become *b, struct err *err) {
  const struct oci_process *p = b->process;
  gid_t *groups = p->groups;
  _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups are gid_t");
  /* Denied for good where one id is mapped; what is kept is the caller's own and means nothing inside. */
  if (!b->keep_groups && setgroups(p->n_groups, groups) < 0 && !(errno == EPERM && !p->n_groups))
    return err_set(err, errno, "additionalGids", "%s", errno == EINVAL ? "one is not mapped in the user namespace" : "");
  if (setresgid(p->gid, p->gid, p->gid) < 0)
    return err_set(err, errno, "gid", "%u%s", p->gid, errno == EINVAL ? " is not mapped in the user namespace" : "");
  if (setresuid(p->uid, p->uid, p->uid) < 0)
    return err_set(err, errno, "uid", "%u%s", p->uid, errno == EINVAL ? " is not mapped in the user namespace" : "");
  return 0;
}

/* Unless the filter is loaded with no_new_privs, loading it takes CAP_SYS_ADMIN, which the change of user has made ineffective. */
static int keep_admin(const struct oci_become *b, struct err *err) {
  struct cap_sets sets = b->process->caps;
  sets.ambient = 0;
  sets.permitted |= 1ull << 21; /* CAP_SYS_ADMIN */
  sets.effective |= 1ull << 21;
  return caps_apply(&sets, err);
}

static int drop_to_user(struct oci_become *b, struct err *err) {
  const struct oci_process *p = b->process;
  /* No capabilities said are none, as runc and crun have it. */
  int r = caps_bound(p->caps.bounding, err);
  if (r < 0) return r;
  /* The permitted set outlives the change of user, to choose from it. exec takes the flag away. */
  if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return err_set(err, errno, "keepcaps", "%s", "");
  if (b->has_personality && personality(b->personality) < 0) return err_set(err, errno, "personality", "%lx", b->personality);
  r = set_labels(b, err);
  if (r == 0) r = set_ids(b, err);
  if (r < 0) return r;
  /* A change of ids sets it to fs.suid_dumpable, which an administrator may have set to 1. */
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return err_set(err, errno, "prctl", "%s", "");
  umask(p->has_umask ? p->umask : 022);
  if (p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return err_set(err, errno, "no_new_privs", "%s", "");
  return b->filter && !p->no_new_privs ? keep_admin(b, err) : caps_apply(&p->caps, err);
}

int oci_process_become(struct oci_become *b, struct err *err) {
  b->listener = -1;
  int r = detach(b, err);
  if (r < 0) return r;
  own_stdio(b->process);
  r = enter_cwd(b, err);
  if (r == 0) r = drop_to_user(b, err);
  /* Ours close at exec each by itself; what the caller may have passed on does not. */
  if (r == 0 && close_range(3 + b->preserve, ~0u, CLOSE_RANGE_CLOEXEC) < 0) r = err_set(err, errno, "close_range", "%s", "");
  return r;
}

int oci_process_listen(struct oci_become *b, struct err *err) {
  return b->filter && b->filter->notifies ? oci_filter_load(b->filter, &b->listener, err) : 0;
}

int oci_process_finish(struct oci_become *b, struct err *err) {
  const struct oci_process *p = b->process;
  int r = oci_process_limits(p, 0, err);
  if (r == 0 && b->filter && !b->filter->notifies) r = oci_filter_load(b->filter, &b->listener, err);
  if (r == 0 && b->filter && !p->no_new_privs) r = caps_apply(&p->caps, err);
  return r;
}

int oci_command_words(int r, const char *word, int exit_code, struct err *err) {
  if (r < 0 && exit_code == EXIT_NOT_FOUND) err_set(err, ENOENT, "exec", "executable file `%.300s` not found in $PATH", word);
  if (r < 0 && exit_code == EXIT_NOT_EXECUTABLE && err->code == 0) err->code = EACCES;
  return r;
}
