/*
 * A classic BPF program that decides by architecture and system call number, as small as we know how: neighbouring numbers with the same
 * answer are one range, ranges are found by a binary tree. A quarter of the size of libseccomp's trees (one comparison for each call), and
 * loading takes time in proportion: 0.3 ms for those, on every start of a container.
 */
#pragma once
#include <linux/filter.h>

#include "util.h"

struct bpf_arg {
  unsigned index;
  enum { BPF_ARG_EQ, BPF_ARG_NE, BPF_ARG_MASKED_EQ, BPF_ARG_LT, BPF_ARG_LE, BPF_ARG_GE, BPF_ARG_GT } op;
  uint64_t value, mask; /* mask: of BPF_ARG_MASKED_EQ */
  bool narrow;          /* an ABI of 32 bits: what the upper half of the register holds does not count */
};

/* What is answered to a call whose arguments fit all of `args`; without any, always. */
struct bpf_rule {
  uint32_t action; /* SECCOMP_RET_... */
  struct bpf_arg args[6];
  unsigned n_args;
};

/* Rules of one call, the first that fits holds. */
struct bpf_call {
  uint32_t number;
  struct bpf_rule *rules;
  size_t n_rules;
};

/* What is answered to the numbers from `from` on, up to the next span, that no rule names. */
struct bpf_span {
  uint32_t from, action;
};

struct bpf_arch {
  uint32_t token; /* AUDIT_ARCH_... */
  struct bpf_call *calls;
  size_t n_calls, room;
  struct bpf_span spans[6]; /* in order; before the first, bpf_program's `otherwise` */
  size_t n_spans;
};

/* Adds a rule to a call's end. Rules that come after one without arguments change nothing and are left out. -ENOMEM. */
int bpf_add(struct bpf_arch *arch, uint32_t number, const struct bpf_rule *rule);
/* The program. Calls without a rule that fits get `otherwise`, other architectures end the process. -ENOMEM, -E2BIG. */
int bpf_program(struct bpf_arch *arches, size_t n, uint32_t otherwise, struct sock_filter **ret, size_t *ret_n);
void bpf_free(struct bpf_arch *arch);
