/* Capability sets: see caps.h. Raw system calls: libcap would allocate and look up names for each. */
#include "caps.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static const char *const names[] = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};
_Static_assert(N_ELEMENTS(names) == CAP_LAST_CAP + 1, "a capability without a name");

int cap_number(const char *name) {
  if (strncmp(name, "CAP_", 4)) return -EINVAL;
  for (size_t i = 0; i < N_ELEMENTS(names); i++)
    if (!strcmp(name + 4, names[i])) return (int)i;
  return -EINVAL;
}

const char *cap_name(unsigned number) {
  return number < N_ELEMENTS(names) ? names[number] : NULL;
}

int caps_bound(uint64_t bounding, struct err *err) {
  for (unsigned i = 0; i < 64; i++) {
    if (bounding & (1ull << i)) continue;
    if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0) continue;
    if (errno == EINVAL) break; /* above the kernel's last one */
    return err_set(err, errno, "capabilities", "bounding set");
  }
  return 0;
}

static int set_all(const struct cap_sets *s) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  for (unsigned i = 0; i < 2; i++) {
    data[i].effective = (uint32_t)(s->effective >> (32 * i));
    data[i].permitted = (uint32_t)(s->permitted >> (32 * i));
    data[i].inheritable = (uint32_t)(s->inheritable >> (32 * i));
  }
  return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int caps_apply(const struct cap_sets *sets, struct err *err) {
  struct cap_sets s = *sets;
  s.permitted |= s.ambient | s.effective;
  s.inheritable |= s.ambient;
  int r = set_all(&s);
  if (r < 0) return err_set(err, -r, "capabilities", "one that the bundle asks for is not ours to give");
  /* The ambient set is empty already: a change of user clears it, and root's start of podrt had none. */
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return err_set(err, errno, "capabilities", "ambient set");
  for (unsigned i = 0; i < 64; i++)
    if (s.ambient & (1ull << i) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
      return err_set(err, errno, "capabilities", "ambient %s", i < N_ELEMENTS(names) ? names[i] : "?");
  return 0;
}
