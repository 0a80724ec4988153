/* The container's seccomp filter: see seccomp.h. */
#include "seccomp.h"

#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "gen/seccomp_default.inc"
#include "oci_seccomp.h"
#include "seccomp_profile.h"

/* Of one thread there is nothing to synchronise, and this one is of listeners alone. */
#define WAIT_KILLABLE (1UL << 5)

int filter_default(uint64_t bounding, struct filter_program *ret, struct err *err) {
  uint64_t caps = bounding & SECCOMP_CAPS_ASKED;
  *ret = (struct filter_program){0};
  for (size_t i = 0; i < N_ELEMENTS(seccomp_usual); i++)
    if (seccomp_usual[i].caps == caps) {
      *ret = (struct filter_program){.code = seccomp_usual[i].code, .n = seccomp_usual[i].n};
      return 0;
    }
  int r = seccomp_profile_compile(seccomp_json, sizeof seccomp_json, caps, &ret->owned, &ret->n, err);
  ret->code = ret->owned;
  return r;
}

int filter_profile(json_t *profile, uint64_t bounding, struct filter_program *ret, struct err *err) {
  struct oci_seccomp seccomp;
  struct oci_filter filter;
  json_t *resolved = seccomp_profile_resolve(profile, bounding);
  int r = resolved ? oci_seccomp_parse(resolved, "profile", &seccomp, err) : err_set(err, ENOMEM, "seccomp", "%s", "");
  if (r == 0) {
    r = oci_filter_make(&seccomp, -1, &filter, err);
    if (r == 0 && filter.notifies) r = err_set(err, 0, "seccomp", "profile: SCMP_ACT_NOTIFY: there is no agent to ask");
    if (r == 0) *ret = (struct filter_program){.code = filter.code, .n = filter.n, .flags = filter.flags, .owned = filter.code};
    oci_seccomp_free(&seccomp);
  }
  json_decref(resolved);
  return r;
}

int filter_load(const struct filter_program *program, struct err *err) {
  struct sock_fprog prog = {.len = (unsigned short)program->n, .filter = (struct sock_filter *)program->code};
  if (program->n > BPF_MAXINSNS) return err_set(err, E2BIG, "seccomp", "%zu instructions", program->n);
  /* Without SECCOMP_FILTER_FLAG_SPEC_ALLOW the kernel may switch speculation off for the payload; runtimes of the field leave it so. */
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags & ~(SECCOMP_FILTER_FLAG_TSYNC | WAIT_KILLABLE), &prog) < 0)
    return err_set(err, errno, "seccomp", "load");
  return 0;
}
