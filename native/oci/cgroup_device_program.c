/* Device rules as a BPF program: see cgroup_devices.h. */
#include "cgroup_devices.h"

/* struct bpf_cgroup_dev_ctx: what is asked (access << 16 | type), major, minor. */
enum { R_TYPE = BPF_REG_2, R_ACCESS = BPF_REG_3, R_MAJOR = BPF_REG_4, R_MINOR = BPF_REG_5, R_CTX = BPF_REG_1, R_TMP = BPF_REG_0 };
/* A rule's longest: three comparisons, five instructions of what follows. */
enum { HEAD = 6, RULE_MAX = 8, TAIL = 2, PROGRAM_MAX = 65536 };

struct program {
  struct bpf_insn *code;
  size_t n;
};

static void emit(struct program *p, int code, int dst, int src, int off, uint32_t imm) {
  p->code[p->n++] = (struct bpf_insn){
      .code = (uint8_t)code, .dst_reg = (uint8_t)dst & 15, .src_reg = (uint8_t)src & 15, .off = (int16_t)off, .imm = (int32_t)imm};
}

static void answer(struct program *p, uint32_t value) {
  emit(p, BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, value);
  emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static uint32_t access_bits(const char *access) {
  uint32_t bits = 0;
  for (; *access; access++) bits |= *access == 'm' ? BPF_DEVCG_ACC_MKNOD : *access == 'r' ? BPF_DEVCG_ACC_READ : BPF_DEVCG_ACC_WRITE;
  return bits;
}

/* Goes past the rule when the register is another number. `skip`: instructions from the end of the comparison to the rule's. */
static void unless(struct program *p, int reg, int64_t value, size_t *left) {
  --*left;
  emit(p, BPF_JMP32 | BPF_JNE | BPF_K, reg, 0, (int)*left, (uint32_t)value);
}

/*
 * From the last rule to the first, keeping in a register what of the access is not allowed yet: the last rule that is about a device and a
 * kind of access decides. Returns whether it decides everything: then nothing may follow, the verifier takes no unreachable code.
 */
static bool add_rule(struct program *p, const struct oci_device_rule *d) {
  const uint32_t bits = access_bits(d->access);
  const bool whole = bits == 7, any = d->type == 'a' && d->major < 0 && d->minor < 0;
  size_t left = (d->type != 'a') + (d->major >= 0) + (d->minor >= 0) + (whole ? 2u : d->allow ? 4u : 5u);
  if (d->type != 'a') unless(p, R_TYPE, d->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, &left);
  if (d->major >= 0) unless(p, R_MAJOR, d->major, &left);
  if (d->minor >= 0) unless(p, R_MINOR, d->minor, &left);
  if (whole) {
    answer(p, d->allow);
    return any;
  }
  if (d->allow) {
    emit(p, BPF_ALU | BPF_AND | BPF_K, R_ACCESS, 0, 0, ~bits & 7);
    emit(p, BPF_JMP32 | BPF_JNE | BPF_K, R_ACCESS, 0, 2, 0);
  } else {
    emit(p, BPF_ALU | BPF_MOV | BPF_X, R_TMP, R_ACCESS, 0, 0);
    emit(p, BPF_ALU | BPF_AND | BPF_K, R_TMP, 0, 0, bits);
    emit(p, BPF_JMP32 | BPF_JEQ | BPF_K, R_TMP, 0, 2, 0);
  }
  answer(p, d->allow);
  return false;
}

int cg_device_program(const struct oci_device_rule *rules, size_t n, struct bpf_insn **ret, size_t *ret_n) {
  struct program p = {0};
  bool decided = false;
  if (n > (PROGRAM_MAX - HEAD - TAIL) / RULE_MAX) return -E2BIG;
  p.code = calloc(HEAD + TAIL + n * RULE_MAX, sizeof *p.code);
  if (!p.code) return -ENOMEM;
  emit(&p, BPF_LDX | BPF_MEM | BPF_W, R_TYPE, R_CTX, 0, 0);
  emit(&p, BPF_ALU | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
  emit(&p, BPF_ALU | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
  emit(&p, BPF_ALU | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
  emit(&p, BPF_LDX | BPF_MEM | BPF_W, R_MAJOR, R_CTX, 4, 0);
  emit(&p, BPF_LDX | BPF_MEM | BPF_W, R_MINOR, R_CTX, 8, 0);
  for (size_t i = n; i-- > 0 && !decided;) decided = add_rule(&p, &rules[i]);
  if (!decided) answer(&p, 0);
  *ret = p.code;
  *ret_n = p.n;
  return 0;
}
