/* Device rules: the BPF program that is made of them, run by an interpreter of the few instructions it has, against the rules themselves.
 */
#include "expect.h"
#include "oci/cgroup_devices.h"

/* --- a small machine --- */

enum { WRONG = -1 };

static uint32_t load(const uint32_t ctx[3], const struct bpf_insn *i) {
  return ctx[(size_t)i->off / 4];
}

/* The program's answer; WRONG for what the verifier would not take: jumps out of it, other instructions, no end. */
static int run(const struct bpf_insn *code, size_t n, uint32_t type, uint32_t access, uint32_t major, uint32_t minor) {
  const uint32_t ctx[3] = {access << 16 | type, major, minor};
  uint64_t r[11] = {0};
  for (size_t at = 0; at < n; at++) {
    const struct bpf_insn *i = &code[at];
    const uint32_t imm = (uint32_t)i->imm, dst = (uint32_t)r[i->dst_reg];
    switch (i->code) {
      case BPF_LDX | BPF_MEM | BPF_W:
        r[i->dst_reg] = load(ctx, i);
        break;
      case BPF_ALU | BPF_MOV | BPF_X:
        r[i->dst_reg] = (uint32_t)r[i->src_reg];
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        r[i->dst_reg] = imm;
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        r[i->dst_reg] = dst & imm;
        break;
      case BPF_ALU | BPF_RSH | BPF_K:
        r[i->dst_reg] = dst >> imm;
        break;
      case BPF_JMP32 | BPF_JNE | BPF_K:
        if (dst != imm) at += (size_t)i->off;
        break;
      case BPF_JMP32 | BPF_JEQ | BPF_K:
        if (dst == imm) at += (size_t)i->off;
        break;
      case BPF_JMP | BPF_EXIT:
        return (int)r[0];
      default:
        return WRONG;
    }
  }
  return WRONG;
}

/* Every instruction is reached from somewhere: the verifier refuses a program where one is not. */
static bool all_reached(const struct bpf_insn *code, size_t n) {
  bool *reached = calloc(n + 1, sizeof *reached);
  bool all = true;
  reached[0] = true;
  for (size_t at = 0; at < n; at++) {
    if (!reached[at]) continue;
    const int kind = code[at].code & 7;
    if ((kind == BPF_JMP || kind == BPF_JMP32) && code[at].code != (BPF_JMP | BPF_EXIT) && at + 1 + (size_t)code[at].off < n)
      reached[at + 1 + (size_t)code[at].off] = true;
    if (code[at].code != (BPF_JMP | BPF_EXIT)) reached[at + 1] = true;
  }
  for (size_t at = 0; at < n; at++) all &= reached[at];
  all &= !reached[n];
  free(reached);
  return all;
}

/* --- what the rules say --- */

static uint32_t bits_of(const char *access) {
  uint32_t bits = 0;
  for (; *access; access++) bits |= *access == 'm' ? 1 : *access == 'r' ? 2 : 4;
  return bits;
}

/* For each kind of access the last rule that fits decides; none: not allowed. */
static int expected(const struct oci_device_rule *rule, size_t n, char type, uint32_t access, int64_t major, int64_t minor) {
  for (uint32_t bit = 1; bit < 8; bit <<= 1) {
    bool allowed = false;
    if (!(access & bit)) continue;
    for (size_t i = 0; i < n; i++)
      if ((rule[i].type == 'a' || rule[i].type == type) && (rule[i].major < 0 || rule[i].major == major) &&
          (rule[i].minor < 0 || rule[i].minor == minor) && (bits_of(rule[i].access) & bit))
        allowed = rule[i].allow;
    if (!allowed) return 0;
  }
  return 1;
}

static void check(const struct oci_device_rule *rules, size_t n) {
  static const int64_t numbers[] = {0, 1, 3, 5, 10, 0xfffff};
  struct bpf_insn *code = NULL;
  size_t len = 0, wrong = 0;
  EXPECT(cg_device_program(rules, n, &code, &len) == 0);
  EXPECT(all_reached(code, len));
  for (int t = 0; t < 2; t++)
    for (uint32_t access = 1; access < 8; access++)
      for (size_t a = 0; a < N_ELEMENTS(numbers); a++)
        for (size_t b = 0; b < N_ELEMENTS(numbers); b++)
          wrong += run(code, len, t ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK, access, (uint32_t)numbers[a], (uint32_t)numbers[b]) !=
                   expected(rules, n, t ? 'c' : 'b', access, numbers[a], numbers[b]);
  EXPECT(wrong == 0);
  free(code);
}

static void test_programs(void) {
  static const struct oci_device_rule podman[] = {{false, 'a', -1, -1, "rwm"}, {true, 'c', 10, 5, "rw"}, {true, 'b', 3, -1, "r"}};
  static const struct oci_device_rule privileged[] = {{true, 'a', -1, -1, "rwm"}};
  static const struct oci_device_rule holes[] = {
      {false, 'a', -1, -1, "rwm"}, {true, 'c', 1, -1, "rwm"}, {false, 'c', 1, 3, "w"}, {true, 'a', -1, 5, "m"}, {false, 'a', -1, -1, "m"}};
  check(NULL, 0);
  check(podman, N_ELEMENTS(podman));
  check(privileged, N_ELEMENTS(privileged));
  check(holes, N_ELEMENTS(holes));
}

/* Rules by a fixed sequence of pseudo-random numbers. */
static void test_many_programs(void) {
  static const char types[] = "abc";
  static const int64_t numbers[] = {-1, 0, 1, 3, 5, 10, 0xfffff};
  static const char *const accesses[] = {"r", "w", "m", "rw", "rm", "wm", "rwm"};
  uint32_t seed = 42;
  for (int round = 0; round < 300; round++) {
    struct oci_device_rule rules[12];
    const size_t n = (size_t)round % N_ELEMENTS(rules);
    for (size_t i = 0; i < n; i++) {
      seed = seed * 1664525 + 1013904223;
      const uint32_t x = seed >> 8;
      rules[i] = (struct oci_device_rule){x & 1, types[x / 2 % 3], numbers[x / 8 % 7], numbers[x / 64 % 7], ""};
      strcpy(rules[i].access, accesses[x / 512 % 7]);
    }
    check(rules, n);
  }
}

static void test_rules(void) {
  struct oci_device_rule given[] = {{true, 'c', 7, 7, "r"}, {false, 'a', -1, -1, "rwm"}, {true, 'c', 10, 200, "rw"}}, *rules = NULL;
  struct oci_resources r;
  size_t n = 0;
  bool all = true;
  oci_resources_init(&r);
  EXPECT(cg_device_rules(&r, &rules, &n, &all) == 0 && !all);
  EXPECT(n > 5 && !rules[0].allow && expected(rules, n, 'c', 2, 1, 3) == 1 && expected(rules, n, 'b', 2, 8, 0) == 0);
  free(rules);
  r.devices = given;
  r.n_devices = 3;
  EXPECT(cg_device_rules(&r, &rules, &n, &all) == 0 && !all);
  EXPECT(!rules[0].allow && expected(rules, n, 'c', 2, 7, 7) == 0 && expected(rules, n, 'c', 6, 10, 200) == 1);
  EXPECT(!cg_device_rules_cross(rules, n));
  free(rules);
  given[2] = (struct oci_device_rule){true, 'a', -1, -1, "rwm"};
  EXPECT(cg_device_rules(&r, &rules, &n, &all) == 0 && all && n == 1);
  free(rules);
}

static void test_crossing(void) {
  const struct oci_device_rule exact[] = {{false, 'a', -1, -1, "rwm"}, {true, 'c', 1, 3, "rwm"}, {false, 'c', 1, 3, "w"}};
  const struct oci_device_rule hole[] = {{false, 'a', -1, -1, "rwm"}, {true, 'c', 1, -1, "rwm"}, {false, 'c', 1, 3, "w"}};
  const struct oci_device_rule apart[] = {{false, 'a', -1, -1, "rwm"}, {true, 'c', 1, -1, "r"}, {false, 'b', 1, 3, "r"}};
  EXPECT(!cg_device_rules_cross(exact, 3) && cg_device_rules_cross(hole, 3) && !cg_device_rules_cross(apart, 3));
}

int main(void) {
  test_programs();
  test_many_programs();
  test_rules();
  test_crossing();
  return expect_end("oci_devices");
}
