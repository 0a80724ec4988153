/* Classic BPF for seccomp: see bpf.h. Offsets are of struct seccomp_data, seccomp(2). */
#include "bpf.h"

#include <linux/seccomp.h>

enum { MAX_JUMP = 255 };

/* --- rules --- */

static struct bpf_call *find(struct bpf_arch *arch, uint32_t number) {
  for (size_t i = 0; i < arch->n_calls; i++)
    if (arch->calls[i].number == number) return &arch->calls[i];
  return NULL;
}

int bpf_add(struct bpf_arch *arch, uint32_t number, const struct bpf_rule *rule) {
  struct bpf_call *call = find(arch, number);
  if (!call) {
    if (arch->n_calls == arch->room) {
      size_t room = arch->room ? 2 * arch->room : 512;
      struct bpf_call *bigger = reallocarray(arch->calls, room, sizeof *bigger);
      if (!bigger) return -ENOMEM;
      arch->calls = bigger;
      arch->room = room;
    }
    call = &arch->calls[arch->n_calls++];
    *call = (struct bpf_call){.number = number};
  }
  if (call->n_rules && !call->rules[call->n_rules - 1].n_args) return 0;
  struct bpf_rule *more = reallocarray(call->rules, call->n_rules + 1, sizeof *more);
  if (!more) return -ENOMEM;
  call->rules = more;
  more[call->n_rules++] = *rule;
  return 0;
}

void bpf_free(struct bpf_arch *arch) {
  for (size_t i = 0; i < arch->n_calls; i++) free(arch->calls[i].rules);
  free(arch->calls);
  *arch = (struct bpf_arch){0};
}

/* --- code --- */

struct code {
  struct sock_filter *at;
  size_t n, room;
  bool failed;
};

static void put(struct code *c, struct sock_filter one) {
  if (c->n == c->room) {
    size_t room = c->room ? 2 * c->room : 256;
    struct sock_filter *bigger = reallocarray(c->at, room, sizeof *bigger);
    if (!bigger) {
      c->failed = true;
      return;
    }
    c->at = bigger;
    c->room = room;
  }
  c->at[c->n++] = one;
}

static void load(struct code *c, size_t offset) {
  put(c, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(struct code *c, uint32_t action) {
  put(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* Half of a 64 bit argument: little-endian machines only, which are all that podrt is made for. */
static void load_half(struct code *c, unsigned index, bool high) {
  _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the halves of arguments");
  load(c, offsetof(struct seccomp_data, args) + 8 * index + (high ? 4 : 0));
}

/* Instructions for half of an argument: load, mask, jump. */
static unsigned half_size(const struct bpf_arg *a) {
  return a->op == BPF_ARG_MASKED_EQ ? 3 : 2;
}

static bool ordered(const struct bpf_arg *a) {
  return a->op >= BPF_ARG_LT;
}

static unsigned arg_size(const struct bpf_arg *a) {
  if (ordered(a)) return a->narrow ? 2 : 5;
  return half_size(a) * (a->narrow ? 1 : 2);
}

static void jump(struct code *c, uint16_t how, uint32_t value, unsigned yes, unsigned no) {
  put(c, (struct sock_filter)BPF_JUMP(BPF_JMP | how | BPF_K, value, (uint8_t)yes, (uint8_t)no));
}

/* <, <=, >=, >: the high halves decide unless they are equal. */
static void put_ordered(struct code *c, const struct bpf_arg *a, unsigned rest) {
  const uint32_t high = (uint32_t)(a->value >> 32), low = (uint32_t)a->value;
  const bool more = a->op == BPF_ARG_GE || a->op == BPF_ARG_GT; /* a greater number fits */
  if (!a->narrow) {
    load_half(c, a->index, true);
    jump(c, BPF_JGT, high, more ? 3 : rest + 3, 0);
    jump(c, BPF_JEQ, high, 0, more ? rest + 2 : 2);
  }
  load_half(c, a->index, false);
  jump(c, a->op == BPF_ARG_GE || a->op == BPF_ARG_LT ? BPF_JGE : BPF_JGT, low, more ? 0 : rest, more ? rest : 0);
}

/* Falls through when the argument fits, and jumps over the `rest` instructions that follow when it does not. */
static void put_arg(struct code *c, const struct bpf_arg *a, unsigned rest) {
  if (ordered(a)) {
    put_ordered(c, a, rest);
    return;
  }
  const bool masked = a->op == BPF_ARG_MASKED_EQ, ne = a->op == BPF_ARG_NE;
  const uint64_t mask = masked ? a->mask : UINT64_MAX;
  for (int high = a->narrow ? 0 : 1; high >= 0; high--) {
    const uint32_t value = (uint32_t)((a->value & mask) >> (high ? 32 : 0));
    load_half(c, a->index, high);
    if (masked) put(c, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)(mask >> (high ? 32 : 0))));
    /* Unequal high halves decide at once: where equality is wanted it does not fit, else it does, whatever the low half. */
    const unsigned unequal = high ? half_size(a) + (ne ? 0 : rest) : ne ? 0 : rest;
    const unsigned equal = !high && ne ? rest : 0;
    jump(c, BPF_JEQ, value, equal, unequal);
  }
}

static void put_rules(struct code *c, const struct bpf_call *call, uint32_t otherwise) {
  for (size_t i = 0; i < call->n_rules; i++) {
    const struct bpf_rule *rule = &call->rules[i];
    unsigned rest = 1;
    for (unsigned k = 0; k < rule->n_args; k++) rest += arg_size(&rule->args[k]);
    for (unsigned k = 0; k < rule->n_args; k++) {
      rest -= arg_size(&rule->args[k]);
      put_arg(c, &rule->args[k], rest);
    }
    answer(c, rule->action);
    if (!rule->n_args) return;
  }
  answer(c, otherwise);
}

/* --- ranges --- */

struct range {
  uint32_t from; /* to the next range's */
  uint32_t action;
  const struct bpf_call *call; /* one whose arguments matter, or NULL */
};

static int by_number(const void *a, const void *b) {
  const struct bpf_call *x = a, *y = b;
  return x->number < y->number ? -1 : x->number > y->number;
}

static void add_range(struct range *r, size_t *n, uint32_t from, uint32_t action, const struct bpf_call *call) {
  if (*n && !call && !r[*n - 1].call && r[*n - 1].action == action) return;
  r[(*n)++] = (struct range){.from = from, .action = action, .call = call};
}

/* The numbers `from` to `to`, which no rule names: split where a span begins. */
static void add_gap(const struct bpf_arch *arch, struct range *r, size_t *n, uint32_t from, uint32_t to, uint32_t otherwise) {
  uint32_t action = otherwise;
  for (size_t i = 0; i < arch->n_spans && arch->spans[i].from <= from; i++) action = arch->spans[i].action;
  add_range(r, n, from, action, NULL);
  for (size_t i = 0; i < arch->n_spans; i++)
    if (arch->spans[i].from > from && arch->spans[i].from <= to) add_range(r, n, arch->spans[i].from, arch->spans[i].action, NULL);
}

/* All numbers from 0 on. At most two ranges for each call, one for each span, and one. */
static size_t make_ranges(struct bpf_arch *arch, uint32_t otherwise, struct range *ret) {
  size_t n = 0;
  uint64_t next = 0;
  if (arch->n_calls) qsort(arch->calls, arch->n_calls, sizeof *arch->calls, by_number);
  for (size_t i = 0; i < arch->n_calls; i++) {
    const struct bpf_call *call = &arch->calls[i];
    if (call->number > next) add_gap(arch, ret, &n, (uint32_t)next, call->number - 1, otherwise);
    add_range(ret, &n, call->number, call->rules[0].action, call->rules[0].n_args ? call : NULL);
    next = (uint64_t)call->number + 1;
  }
  if (next <= UINT32_MAX) add_gap(arch, ret, &n, (uint32_t)next, UINT32_MAX, otherwise);
  return n;
}

/* The left half is written, then the jump over it is known: short ones fit in the comparison. */
static void put_tree(struct code *c, const struct range *r, size_t n, uint32_t otherwise) {
  if (n == 1) {
    if (r->call)
      put_rules(c, r->call, otherwise);
    else
      answer(c, r->action);
    return;
  }
  size_t left = n / 2, at = c->n;
  put(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, r[left].from, 0, 1));
  put(c, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
  put_tree(c, r, left, otherwise);
  if (c->failed) return;
  size_t over = c->n - at - 2;
  if (over <= MAX_JUMP) {
    /* All jumps within are relative, so that it can move up by the one instruction that is not needed. */
    memmove(c->at + at + 1, c->at + at + 2, over * sizeof *c->at);
    c->n--;
    c->at[at].jt = (uint8_t)over;
    c->at[at].jf = 0;
  } else {
    c->at[at + 1].k = (uint32_t)over;
  }
  put_tree(c, r + left, n - left, otherwise);
}

static int put_arch(struct code *c, struct bpf_arch *arch, uint32_t otherwise) {
  struct range *ranges = calloc(2 * arch->n_calls + arch->n_spans + 2, sizeof *ranges);
  if (!ranges) return -ENOMEM;
  size_t n = make_ranges(arch, otherwise, ranges), at = c->n;
  /* Another architecture: over all of this one's. */
  put(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arch->token, 1, 0));
  put(c, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
  load(c, offsetof(struct seccomp_data, nr));
  put_tree(c, ranges, n, otherwise);
  if (!c->failed) c->at[at + 1].k = (uint32_t)(c->n - at - 2);
  free(ranges);
  return c->failed ? -ENOMEM : 0;
}

int bpf_program(struct bpf_arch *arches, size_t n, uint32_t otherwise, struct sock_filter **ret, size_t *ret_n) {
  struct code c = {0};
  int r = 0;
  load(&c, offsetof(struct seccomp_data, arch));
  for (size_t i = 0; r == 0 && i < n; i++) r = put_arch(&c, &arches[i], otherwise);
  answer(&c, SECCOMP_RET_KILL_PROCESS);
  if (r == 0 && c.failed) r = -ENOMEM;
  if (r == 0 && c.n > BPF_MAXINSNS) r = -E2BIG;
  if (r < 0) {
    free(c.at);
    return r;
  }
  *ret = c.at;
  *ret_n = c.n;
  return 0;
}
