/* linux.seccomp: from rules to a BPF program, as libseccomp would understand them: seccomp.h says where not. */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <nettle/sha2.h>
#include <seccomp.h>

#include "bpf.h"
#include "oci_seccomp_parts.h"

/* To be counted up with every change of what is made of the same rules. */
static const char generation[] = "podrt seccomp 1";

/* What this machine's kernel executes. A rule's other architectures never come before it. x32 is x86_64 with a bit in the number. */
static const struct abi {
  uint32_t token, audit;
  bool narrow;
  uint32_t bit;
} abis[] = {
#if defined(__x86_64__)
    {SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, false, 0},
    {SCMP_ARCH_X86, AUDIT_ARCH_I386, true, 0},
    {SCMP_ARCH_X32, AUDIT_ARCH_X86_64, true, 0x40000000},
#elif defined(__aarch64__)
    {SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, false, 0},
    {SCMP_ARCH_ARM, AUDIT_ARCH_ARM, true, 0},
#elif defined(__riscv) && __riscv_xlen == 64
    {SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, false, 0},
#else
#error "name this architecture and those it executes besides"
#endif
};
enum { KNOWN_MAX = 1023 }; /* no call has a greater number, without its ABI's bit */

/* One rule of one call of one ABI, before they are put in order. */
struct item {
  struct bpf_arch *arch;
  uint32_t number;
  size_t order;
  struct bpf_rule rule;
};

struct work {
  const struct oci_seccomp *s;
  struct bpf_arch archs[N_ELEMENTS(abis)];
  size_t n_archs;
  struct bpf_arch *arch_of[N_ELEMENTS(abis)]; /* NULL: not wanted */
  struct item *items;
  size_t n_items, room;
};

/* --- which calls --- */

/* As libseccomp, always for the machine's own. */
static bool wanted(const struct oci_seccomp *s, size_t abi) {
  for (size_t i = 0; i < s->n_arches; i++)
    if (s->arches[i] == abis[abi].token) return true;
  return abi == 0;
}

static void choose_abis(struct work *w) {
  for (size_t i = 0; i < N_ELEMENTS(abis); i++) {
    if (!wanted(w->s, i)) continue;
    size_t k = 0;
    while (k < w->n_archs && w->archs[k].token != abis[i].audit) k++;
    if (k == w->n_archs) w->archs[w->n_archs++] = (struct bpf_arch){.token = abis[i].audit};
    w->arch_of[i] = &w->archs[k];
  }
}

static bool refuses(uint32_t action, int code) {
  return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO && (int)(action & SECCOMP_RET_DATA) != code;
}

/* The greatest number that libseccomp knows a name for. */
static uint32_t last_known(const struct abi *abi) {
  for (uint32_t n = KNOWN_MAX; n > 0; n--) {
    cleanup_free char *name = seccomp_syscall_resolve_num_arch(abi->token, (int)(n | abi->bit));
    if (name) return n | abi->bit;
  }
  return KNOWN_MAX | abi->bit;
}

static void add_span(struct bpf_arch *arch, uint32_t from, uint32_t action) {
  arch->spans[arch->n_spans++] = (struct bpf_span){.from = from, .action = action};
}

/*
 * Calls newer than all that a profile could name: where others are refused with an error, it is ENOSYS for these, by which libc knows to
 * try the older ones. And x32's numbers where x32 is not wanted: another architecture, although the kernel does not call it so.
 */
static void add_spans(struct work *w) {
  const uint32_t otherwise = w->s->default_action;
  for (size_t i = 0; i < N_ELEMENTS(abis); i++) {
    if (!w->arch_of[i]) continue;
    if (abis[i].bit) add_span(w->arch_of[i], abis[i].bit, otherwise);
    if (refuses(otherwise, ENOSYS)) add_span(w->arch_of[i], last_known(&abis[i]) + 1, SECCOMP_RET_ERRNO | ENOSYS);
  }
#if defined(__x86_64__)
  if (!w->arch_of[2]) add_span(w->arch_of[0], abis[2].bit, SECCOMP_RET_KILL_PROCESS);
  /* A tracer's way to skip a call, ptrace(2). */
  add_span(w->arch_of[0], UINT32_MAX, otherwise);
#endif
}

/* --- rules --- */

static int add_item(struct work *w, size_t abi, uint32_t number, const struct bpf_rule *rule) {
  if (w->n_items == w->room) {
    size_t room = w->room ? 2 * w->room : 1024;
    struct item *bigger = reallocarray(w->items, room, sizeof *bigger);
    if (!bigger) return -ENOMEM;
    w->items = bigger;
    w->room = room;
  }
  w->items[w->n_items] = (struct item){.arch = w->arch_of[abi], .number = number, .order = w->n_items, .rule = *rule};
  for (unsigned i = 0; i < rule->n_args; i++) w->items[w->n_items].rule.args[i].narrow = abis[abi].narrow;
  w->n_items++;
  return 0;
}

#if defined(__x86_64__)
/*
 * x86 has the calls of sockets and System V IPC twice: by their own numbers and by way of socketcall(2) and ipc(2). libseccomp resolves
 * their names to numbers of its own below zero, -101 for socketcall's first, -201 for ipc's.
 */
static const struct {
  int pseudo;
  uint32_t number;
} direct[] = {{-101, 359}, {-102, 361}, {-103, 362}, {-104, 363}, {-106, 367}, {-107, 368}, {-108, 360}, {-111, 369}, {-112, 371},
              {-113, 373}, {-114, 366}, {-115, 365}, {-116, 370}, {-117, 372}, {-118, 364}, {-119, 337}, {-120, 345}, {-202, 393},
              {-203, 394}, {-211, 400}, {-212, 401}, {-213, 399}, {-214, 402}, {-221, 397}, {-222, 398}, {-223, 395}, {-224, 396}};
enum { NR_SOCKETCALL = 102, NR_IPC = 117 };

/* By the multiplexer the first argument says which call; the call's own are in memory, where no filter sees them. */
static int add_multiplexed(struct work *w, size_t abi, int pseudo, const struct bpf_rule *rule) {
  const bool socket = pseudo <= -100 && pseudo >= -120, ipc = pseudo <= -200 && pseudo >= -224;
  if (abis[abi].token != SCMP_ARCH_X86 || (!socket && !ipc)) return 0;
  struct bpf_rule muxed = {.action = rule->action, .n_args = 1};
  muxed.args[0] = (struct bpf_arg){.index = 0, .op = BPF_ARG_EQ, .value = (uint64_t)(-pseudo % 100)};
  for (unsigned i = 0; i < rule->n_args; i++)
    if (rule->args[i].index) muxed.args[muxed.n_args++] = rule->args[i];
  int r = add_item(w, abi, socket ? NR_SOCKETCALL : NR_IPC, &muxed);
  for (size_t i = 0; r == 0 && i < N_ELEMENTS(direct); i++)
    if (direct[i].pseudo == pseudo) r = add_item(w, abi, direct[i].number, rule);
  return r;
}
#else
static int add_multiplexed(struct work *w, size_t abi, int pseudo, const struct bpf_rule *rule) {
  (void)w, (void)abi, (void)pseudo, (void)rule;
  return 0;
}
#endif

static int add_rule(struct work *w, const char *const *names, const struct bpf_rule *rule) {
  int r = 0;
  for (size_t i = 0; r == 0 && names[i]; i++)
    for (size_t k = 0; r == 0 && k < N_ELEMENTS(abis); k++) {
      if (!w->arch_of[k]) continue;
      /* Names that libseccomp does not know are left out, as all runtimes do: the default action holds for those. */
      int number = seccomp_syscall_resolve_name_arch(abis[k].token, names[i]);
      r = number >= 0 ? add_item(w, k, (uint32_t)number, rule) : add_multiplexed(w, k, number, rule);
    }
  return r;
}

static struct bpf_arg make_arg(const struct oci_seccomp_arg *a) {
  static const int ops[] = {[SCMP_CMP_NE] = BPF_ARG_NE, [SCMP_CMP_LT] = BPF_ARG_LT, [SCMP_CMP_LE] = BPF_ARG_LE,
                            [SCMP_CMP_EQ] = BPF_ARG_EQ, [SCMP_CMP_GE] = BPF_ARG_GE, [SCMP_CMP_GT] = BPF_ARG_GT};
  /* A masked comparison has the mask first, as libseccomp's. */
  if (a->op == SCMP_CMP_MASKED_EQ)
    return (struct bpf_arg){.index = a->index, .op = BPF_ARG_MASKED_EQ, .mask = a->value, .value = a->value_two};
  return (struct bpf_arg){.index = a->index, .op = ops[a->op], .value = a->value};
}

/* Several conditions on one argument: any of them suffices, as runc and crun have it (libseccomp takes no such rule). */
static bool same_index(const struct oci_seccomp_rule *rule) {
  unsigned seen = 0;
  for (size_t i = 0; i < rule->n_args; i++) {
    if (seen & 1u << rule->args[i].index) return true;
    seen |= 1u << rule->args[i].index;
  }
  return false;
}

static int add_rules(struct work *w) {
  int r = 0;
  for (size_t i = 0; r == 0 && i < w->s->n_rules; i++) {
    const struct oci_seccomp_rule *rule = &w->s->rules[i];
    if (rule->action == w->s->default_action) continue;
    const bool split = same_index(rule);
    struct bpf_rule one = {.action = rule->action};
    for (size_t k = 0; r == 0 && k < rule->n_args; k++) {
      if (split) one.n_args = 0;
      one.args[one.n_args++] = make_arg(&rule->args[k]);
      if (split) r = add_rule(w, rule->names, &one);
    }
    if (r == 0 && !split) r = add_rule(w, rule->names, &one);
  }
  return r;
}

/* The kernel's order of actions, seccomp(2): the strictest is the least when it is read as signed. */
static int32_t strictness(const struct item *i) {
  return (int32_t)(i->rule.action & SECCOMP_RET_ACTION_FULL);
}

/* Those without conditions first: they hold, whatever others say. Then the strictest. */
static int by_weight(const void *a, const void *b) {
  const struct item *x = a, *y = b;
  if (!x->rule.n_args != !y->rule.n_args) return x->rule.n_args ? 1 : -1;
  if (x->rule.n_args && strictness(x) != strictness(y)) return strictness(x) < strictness(y) ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

int seccomp_compile(const struct oci_seccomp *s, struct sock_filter **ret, size_t *ret_n, struct err *err) {
  struct work w = {.s = s};
  choose_abis(&w);
  add_spans(&w);
  int r = add_rules(&w);
  if (r == 0 && w.n_items) qsort(w.items, w.n_items, sizeof *w.items, by_weight);
  for (size_t i = 0; r == 0 && i < w.n_items; i++) r = bpf_add(w.items[i].arch, w.items[i].number, &w.items[i].rule);
  if (r == 0) r = bpf_program(w.archs, w.n_archs, s->default_action, ret, ret_n);
  for (size_t i = 0; i < w.n_archs; i++) bpf_free(&w.archs[i]);
  free(w.items);
  return r < 0 ? err_set(err, -r, "seccomp", "compile%s", r == -E2BIG ? ": too many rules for one program" : "") : 0;
}

/* --- what it follows from --- */

static void put_number(struct sha256_ctx *sha, uint64_t n) {
  sha256_update(sha, sizeof n, (const uint8_t *)&n);
}

void seccomp_key(const struct oci_seccomp *s, uint8_t ret[SECCOMP_KEY_SIZE]) {
  const struct scmp_version *version = seccomp_version();
  struct sha256_ctx sha;
  sha256_init(&sha);
  sha256_update(&sha, sizeof generation, (const uint8_t *)generation);
  put_number(&sha, (uint64_t)version->major << 32 | version->minor << 16 | version->micro);
  put_number(&sha, abis[0].token);
  put_number(&sha, s->default_action);
  put_number(&sha, s->n_arches);
  for (size_t i = 0; i < s->n_arches; i++) put_number(&sha, s->arches[i]);
  for (size_t i = 0; i < s->n_rules; i++) {
    const struct oci_seccomp_rule *rule = &s->rules[i];
    put_number(&sha, rule->action);
    put_number(&sha, rule->n_args);
    for (size_t k = 0; k < rule->n_args; k++) {
      put_number(&sha, rule->args[k].index);
      put_number(&sha, (uint64_t)rule->args[k].op);
      put_number(&sha, rule->args[k].value);
      put_number(&sha, rule->args[k].value_two);
    }
    /* Each with its NUL, and an empty one at the end: nothing can be read two ways. */
    for (size_t k = 0; rule->names[k]; k++) sha256_update(&sha, strlen(rule->names[k]) + 1, (const uint8_t *)rule->names[k]);
    put_number(&sha, UINT64_MAX);
  }
  sha256_digest(&sha, SECCOMP_KEY_SIZE, ret);
}
