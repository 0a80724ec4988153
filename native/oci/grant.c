/* Which of the capabilities asked for can be had: see process.h. */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "options.h"
#include "process.h"

static uint64_t own_permitted(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {{0}};
  if (syscall(SYS_capget, &header, data) < 0) return UINT64_MAX;
  return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static void warn(const struct oci_global *g, uint64_t lost) {
  char text[768] = "";
  size_t n = 0;
  for (unsigned i = 0; i < 64 && n < sizeof text - 40; i++)
    if (lost & (1ull << i)) n += (size_t)snprintf(text + n, sizeof text - n, " CAP_%s", cap_name(i) ? cap_name(i) : "?");
  oci_warn(g, "capabilities that cannot be granted, left out:%s", text);
}

void oci_process_grant(const struct oci_global *g, struct oci_process *p, bool own_userns) {
  struct cap_sets *s = &p->caps;
  const uint64_t have = own_userns ? UINT64_MAX : own_permitted(),
                 asked = s->bounding | s->effective | s->permitted | s->inheritable | s->ambient;
  const uint64_t lost = asked & ~have;
  s->bounding &= have;
  s->permitted &= have;
  s->effective &= have;
  s->inheritable &= have;
  /*
   * capabilities(7): no capability is ever ambient that is not both permitted and inheritable. What `runc spec` writes asks for some: no
   * word for those, as runc and crun have none.
   */
  s->ambient &= s->permitted & s->inheritable;
  if (lost) warn(g, lost);
}
