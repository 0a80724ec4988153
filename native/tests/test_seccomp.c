/* Our BPF programs against libseccomp's for the same profile: the same answer for every call of every ABI. And rules by hand. */
#include <fcntl.h>
#include <jansson.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>

#include "expect.h"
#include "interpret.h"
#include "lib/bpf.h"
#include "lib/caps.h"
#include "lib/seccomp_profile.h"

/* --- the oracle --- */

static uint32_t scmp_action(const json_t *rule, const char *key, const char *code_key) {
  const json_t *code = json_object_get(rule, code_key);
  if (!strcmp(json_string_value(json_object_get(rule, key)), "SCMP_ACT_ALLOW")) return SCMP_ACT_ALLOW;
  return SCMP_ACT_ERRNO(json_is_integer(code) ? (uint32_t)json_integer_value(code) : EPERM);
}

static bool in_caps(const json_t *list, uint64_t caps, bool all) {
  size_t i, held = 0;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    int number = cap_number(json_string_value(item));
    held += number >= 0 && caps & (1ull << number);
  }
  return all ? held == json_array_size(list) : held > 0;
}

static bool for_us(const json_t *rule) {
  const json_t *list = json_object_get(json_object_get(rule, "includes"), "arches");
  size_t i;
  json_t *item;
  json_array_foreach((json_t *)list, i,
                     item) if (!strcmp(json_string_value(item), seccomp_arch_native() == SCMP_ARCH_X86_64 ? "amd64" : "arm64")) return true;
  return !json_array_size(list);
}

static void oracle_rule(scmp_filter_ctx ctx, const json_t *rule, uint32_t otherwise) {
  struct scmp_arg_cmp args[6];
  unsigned n = 0;
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(rule, "args"), i, item) args[n++] =
      (struct scmp_arg_cmp){.arg = (unsigned)json_integer_value(json_object_get(item, "index")),
                            .op = !strcmp(json_string_value(json_object_get(item, "op")), "SCMP_CMP_EQ") ? SCMP_CMP_EQ : SCMP_CMP_NE,
                            .datum_a = (scmp_datum_t)json_integer_value(json_object_get(item, "value"))};
  uint32_t action = scmp_action(rule, "action", "errnoRet");
  json_array_foreach(json_object_get(rule, "names"), i, item) {
    int number = seccomp_syscall_resolve_name(json_string_value(item));
    if (number != __NR_SCMP_ERROR && action != otherwise) (void)seccomp_rule_add_array(ctx, action, number, n, args);
  }
}

static size_t oracle(const json_t *root, uint64_t caps, struct sock_filter *ret, size_t max) {
  const uint32_t otherwise = scmp_action(root, "defaultAction", "defaultErrnoRet");
  scmp_filter_ctx ctx = seccomp_init(otherwise);
  size_t i;
  json_t *rule;
  if (seccomp_arch_native() == SCMP_ARCH_X86_64) {
    EXPECT(seccomp_arch_add(ctx, SCMP_ARCH_X86) == 0 && seccomp_arch_add(ctx, SCMP_ARCH_X32) == 0);
  } else {
    EXPECT(seccomp_arch_add(ctx, SCMP_ARCH_ARM) == 0);
  }
  json_array_foreach(json_object_get(root, "syscalls"), i, rule) {
    const json_t *in = json_object_get(json_object_get(rule, "includes"), "caps"),
                 *out = json_object_get(json_object_get(rule, "excludes"), "caps");
    if (in_caps(in, caps, true) && !in_caps(out, caps, false) && for_us(rule)) oracle_rule(ctx, rule, otherwise);
  }
  cleanup_fd int fd = memfd_create("oracle", MFD_CLOEXEC);
  EXPECT(seccomp_export_bpf(ctx, fd) == 0);
  seccomp_release(ctx);
  ssize_t n = pread(fd, ret, max * sizeof *ret, 0);
  return n < 0 ? 0 : (size_t)n / sizeof *ret;
}

/* --- the comparison --- */

static const uint32_t tokens[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM};
static const uint64_t values[] = {0, 1, 2, 8, 9, 16, 0x20000, 0x20008, 0xffffffff, 0x100000010, 0x100000009, UINT64_MAX};

static size_t differences(const struct sock_filter *ours, size_t n, const struct sock_filter *theirs, size_t their_n) {
  size_t bad = 0;
  for (size_t t = 0; t < N_ELEMENTS(tokens); t++)
    for (uint32_t i = 0; i < 2 * 700 + 4; i++) {
      /* Also with x32's bit, and the ends of the range. */
      const uint32_t special[] = {0x7fffffff, 0x80000000, 0xffffffff, 0x3fffffff};
      const uint32_t nr = i >= 1400 ? special[i - 1400] : i >= 700 ? 0x40000000 | (i - 700) : i;
      for (size_t v = 0; v < N_ELEMENTS(values) * N_ELEMENTS(values); v++) {
        const struct seccomp_data data = {
            .nr = (int)nr, .arch = tokens[t], .args = {values[v % N_ELEMENTS(values)], 1, values[v / N_ELEMENTS(values)]}};
        uint32_t a = interpret(ours, n, &data), b = interpret(theirs, their_n, &data);
        if (b == SECCOMP_RET_KILL_THREAD) b = SECCOMP_RET_KILL_PROCESS; /* another architecture: we end it whole */
        if (a != b && bad++ < 5)
          fprintf(stderr, "arch %x nr %x args %llx %llx: %x, libseccomp %x\n", tokens[t], nr, (unsigned long long)data.args[0],
                  (unsigned long long)data.args[2], a, b);
      }
    }
  return bad;
}

static void test_profile(void) {
  static const uint64_t sets[] = {1ull << 18, 0, 1ull << 18 | 1ull << 29, UINT64_MAX, 1ull << 21, 1ull << 2 | 1ull << 19};
  static struct sock_filter theirs[BPF_MAXINSNS];
  char *text = NULL;
  size_t len;
  EXPECT(read_file_at(AT_FDCWD, "/usr/share/containers/seccomp.json", 1 << 20, &text, &len) == 0);
  if (!text) return;
  json_t *root = json_loadb(text, len, 0, NULL);
  for (size_t i = 0; i < N_ELEMENTS(sets); i++) {
    struct sock_filter *ours = NULL;
    size_t n = 0;
    struct err err;
    EXPECT(seccomp_profile_compile(text, len, sets[i], &ours, &n, &err) == 0);
    size_t their_n = oracle(root, sets[i], theirs, N_ELEMENTS(theirs));
    EXPECT(their_n > 100 && n < 800);
    EXPECT(differences(ours, n, theirs, their_n) == 0);
    free(ours);
  }
  json_decref(root);
  free(text);
}

/* --- by hand --- */

static void test_rules(void) {
  struct bpf_arch arch = {.token = AUDIT_ARCH_X86_64};
  const struct bpf_rule first = {
      .action = 11, .n_args = 2, .args = {{.index = 0, .op = BPF_ARG_EQ, .value = 1ull << 40}, {.index = 5, .op = BPF_ARG_NE, .value = 7}}};
  const struct bpf_rule second = {
      .action = 12, .n_args = 1, .args = {{.index = 1, .op = BPF_ARG_MASKED_EQ, .value = 0xf0f0, .mask = 0xff00000000fff0}}};
  const struct bpf_rule third = {.action = 13}, never = {.action = 14};
  EXPECT(bpf_add(&arch, 5, &first) == 0 && bpf_add(&arch, 5, &second) == 0 && bpf_add(&arch, 5, &third) == 0 &&
         bpf_add(&arch, 5, &never) == 0);
  EXPECT(bpf_add(&arch, 0, &first) == 0 && bpf_add(&arch, UINT32_MAX, &third) == 0);
  struct sock_filter *code;
  size_t n;
  EXPECT(bpf_program(&arch, 1, 99, &code, &n) == 0);
  const struct {
    uint32_t nr;
    uint64_t a0, a1, a5;
    uint32_t want;
  } cases[] = {
      {5, 1ull << 40, 0, 8, 11}, {5, 1ull << 40, 0, 7 | 1ull << 32, 11},
      {5, 1ull << 40, 0, 7, 13}, {5, 0, 0, 8, 13},
      {5, 0, 0xf0fa, 0, 12},     {5, 0, 0xf0fa | 1ull << 63, 0, 12},
      {5, 0, 0xf0ea, 0, 13},     {5, 0, 0xf0f0 | 1ull << 48, 0, 13},
      {0, 1ull << 40, 0, 8, 11}, {0, 1, 0, 8, 99},
      {4, 0, 0, 0, 99},          {6, 0, 0, 0, 99},
      {UINT32_MAX, 0, 0, 0, 13}, {UINT32_MAX - 1, 0, 0, 0, 99},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    const struct seccomp_data data = {
        .nr = (int)cases[i].nr, .arch = AUDIT_ARCH_X86_64, .args = {cases[i].a0, cases[i].a1, 0, 0, 0, cases[i].a5}};
    if (interpret(code, n, &data) != cases[i].want) fprintf(stderr, "case %zu: %u\n", i, interpret(code, n, &data));
    EXPECT(interpret(code, n, &data) == cases[i].want);
  }
  const struct seccomp_data other = {.nr = 5, .arch = AUDIT_ARCH_ARM};
  EXPECT(interpret(code, n, &other) == SECCOMP_RET_KILL_PROCESS);
  free(code);
  bpf_free(&arch);

  /* So many ranges that jumps do not fit in eight bits; and too many for the kernel. */
  struct bpf_arch wide = {.token = AUDIT_ARCH_X86_64};
  for (uint32_t i = 0; i < 900; i++) EXPECT(bpf_add(&wide, 2 * i, &third) == 0);
  EXPECT(bpf_program(&wide, 1, 99, &code, &n) == 0);
  for (uint32_t i = 0; i < 1900; i++) {
    const struct seccomp_data data = {.nr = (int)i, .arch = AUDIT_ARCH_X86_64};
    EXPECT(interpret(code, n, &data) == (i < 1800 && i % 2 == 0 ? 13u : 99u));
  }
  free(code);
  for (uint32_t i = 900; i < 2000; i++) EXPECT(bpf_add(&wide, 2 * i, &third) == 0);
  EXPECT(bpf_program(&wide, 1, 99, &code, &n) == -E2BIG);
  bpf_free(&wide);
}

int main(void) {
  test_rules();
  test_profile();
  return expect_end("seccomp");
}
