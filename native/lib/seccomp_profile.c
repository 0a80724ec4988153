/* The field's seccomp profile to BPF: see seccomp_profile.h. Format: containers/common pkg/seccomp, the same as Docker's. */
#include "seccomp_profile.h"

#include <jansson.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "bpf.h"
#include "caps.h"

static void cleanup_json_p(json_t **j) {
  json_decref(*j);
}

#if defined(__x86_64__)
static const char arch_key[] = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
static const char arch_key[] = "SCMP_ARCH_AARCH64";
#elif defined(__riscv)
static const char arch_key[] = "SCMP_ARCH_RISCV64";
#else
#error "name this architecture as the profile does"
#endif

/* Profiles name architectures as libseccomp does, and in conditions as Go does. x32 is x86_64 to the kernel, with a bit in the number. */
static const struct {
  const char *name, *go;
  uint32_t token, audit;
  bool narrow;
} arches[] = {
    {"SCMP_ARCH_X86_64", "amd64", SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, false},
    {"SCMP_ARCH_X86", "x86", SCMP_ARCH_X86, AUDIT_ARCH_I386, true},
    {"SCMP_ARCH_X32", "x32", SCMP_ARCH_X32, AUDIT_ARCH_X86_64, true},
    {"SCMP_ARCH_AARCH64", "arm64", SCMP_ARCH_AARCH64, AUDIT_ARCH_AARCH64, false},
    {"SCMP_ARCH_ARM", "arm", SCMP_ARCH_ARM, AUDIT_ARCH_ARM, true},
    {"SCMP_ARCH_RISCV64", "riscv64", SCMP_ARCH_RISCV64, AUDIT_ARCH_RISCV64, false},
};

static const struct {
  const char *name;
  int op;
} compares[] = {{"SCMP_CMP_EQ", BPF_ARG_EQ}, {"SCMP_CMP_NE", BPF_ARG_NE}, {"SCMP_CMP_MASKED_EQ", BPF_ARG_MASKED_EQ}};

static int action_of(const json_t *rule, const char *key, const char *errno_key, uint32_t *ret) {
  const char *name = json_string_value(json_object_get(rule, key));
  const json_t *code = json_object_get(rule, errno_key);
  if (!name) return -EINVAL;
  if (!strcmp(name, "SCMP_ACT_ALLOW"))
    *ret = SECCOMP_RET_ALLOW;
  else if (!strcmp(name, "SCMP_ACT_ERRNO"))
    *ret = SECCOMP_RET_ERRNO | (json_is_integer(code) ? (uint16_t)json_integer_value(code) : EPERM);
  else if (!strcmp(name, "SCMP_ACT_KILL_PROCESS"))
    *ret = SECCOMP_RET_KILL_PROCESS;
  else if (!strcmp(name, "SCMP_ACT_LOG"))
    *ret = SECCOMP_RET_LOG;
  else
    return -EINVAL;
  return 0;
}

/* Conditions are about the machine, not about the program's ABI: amd64 also for x86 and x32 programs on it. */
static bool names_our_arch(const json_t *list) {
  size_t i;
  json_t *item;
  json_array_foreach((json_t *)list, i,
                     item) for (size_t k = 0; json_is_string(item) && k < N_ELEMENTS(arches);
                                k++) if (!strcmp(arches[k].name, arch_key) && !strcmp(json_string_value(item), arches[k].go)) return true;
  return false;
}

/* How many of the capabilities in a list are in `caps`; unknown names (of a newer kernel) are not. */
static size_t caps_held(const json_t *list, uint64_t caps) {
  size_t i, n = 0;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    int number = json_is_string(item) ? cap_number(json_string_value(item)) : -EINVAL;
    if (number >= 0 && caps & (1ull << number)) n++;
  }
  return n;
}

/* `includes` must hold altogether, of `excludes` nothing may. minKernel: every kernel podrt runs on is newer. */
static bool applies(const json_t *rule, uint64_t caps) {
  const json_t *in = json_object_get(rule, "includes"), *out = json_object_get(rule, "excludes");
  const json_t *need = json_object_get(in, "caps"), *arch = json_object_get(in, "arches");
  if (json_array_size(arch) && !names_our_arch(arch)) return false;
  if (json_array_size(need) && caps_held(need, caps) != json_array_size(need)) return false;
  return !names_our_arch(json_object_get(out, "arches")) && !caps_held(json_object_get(out, "caps"), caps);
}

static int args_of(const json_t *list, struct bpf_rule *ret) {
  size_t i;
  json_t *item;
  json_array_foreach((json_t *)list, i, item) {
    const char *op = json_string_value(json_object_get(item, "op"));
    json_int_t index = json_integer_value(json_object_get(item, "index"));
    uint64_t one = (uint64_t)json_integer_value(json_object_get(item, "value")),
             two = (uint64_t)json_integer_value(json_object_get(item, "valueTwo"));
    if (ret->n_args == 6 || !op || index < 0 || index > 5) return -EINVAL;
    struct bpf_arg *a = &ret->args[ret->n_args++];
    size_t k = 0;
    while (k < N_ELEMENTS(compares) && strcmp(op, compares[k].name)) k++;
    if (k == N_ELEMENTS(compares)) return -EINVAL;
    /* A masked comparison has the mask first, as libseccomp's SCMP_CMP. */
    *a = (struct bpf_arg){.index = (unsigned)index, .op = compares[k].op, .value = one};
    if (a->op == BPF_ARG_MASKED_EQ) {
      a->mask = one;
      a->value = two;
    }
  }
  return 0;
}

/* One ABI's numbers. */
struct abi {
  uint32_t token;
  bool narrow;
  struct bpf_arch *arch; /* where they go */
};

struct program {
  struct abi abis[N_ELEMENTS(arches)];
  struct bpf_arch archs[N_ELEMENTS(arches)];
  size_t n_abis, n_archs;
  uint32_t otherwise;
};

static void add_abi(struct program *p, const char *name) {
  for (size_t i = 0; i < N_ELEMENTS(arches); i++) {
    if (strcmp(arches[i].name, name)) continue;
    size_t k = 0;
    while (k < p->n_archs && p->archs[k].token != arches[i].audit) k++;
    if (k == p->n_archs) p->archs[p->n_archs++] = (struct bpf_arch){.token = arches[i].audit};
    p->abis[p->n_abis++] = (struct abi){.token = arches[i].token, .narrow = arches[i].narrow, .arch = &p->archs[k]};
  }
}

static void add_abis(struct program *p, const json_t *root) {
  size_t i, k;
  json_t *map, *sub;
  add_abi(p, arch_key);
  json_array_foreach(json_object_get(root, "archMap"), i, map) {
    const char *name = json_string_value(json_object_get(map, "architecture"));
    if (!name || strcmp(name, arch_key)) continue;
    json_array_foreach(json_object_get(map, "subArchitectures"), k, sub) if (json_is_string(sub) && p->n_abis < N_ELEMENTS(p->abis))
        add_abi(p, json_string_value(sub));
  }
}

/*
 * x86 has the calls of sockets and System V IPC twice: by way of socketcall(2) and ipc(2), which the profile names themselves, and
 * each by its own number. libseccomp resolves their names to a number of its own below zero that stands for both.
 */
static const struct {
  int pseudo;
  uint32_t number;
} x86_direct[] = {{-101, 359}, {-102, 361}, {-103, 362}, {-104, 363}, {-106, 367}, {-107, 368}, {-108, 360}, {-111, 369}, {-112, 371},
                  {-113, 373}, {-114, 366}, {-115, 365}, {-116, 370}, {-117, 372}, {-118, 364}, {-119, 337}, {-120, 345}, {-202, 393},
                  {-203, 394}, {-211, 400}, {-212, 401}, {-213, 399}, {-214, 402}, {-221, 397}, {-222, 398}, {-223, 395}, {-224, 396}};

/* The number of a call in an ABI; below zero where it has none. */
static int64_t resolve(uint32_t token, const char *name) {
  int number = seccomp_syscall_resolve_name_arch(token, name);
  for (size_t i = 0; token == SCMP_ARCH_X86 && number < 0 && i < N_ELEMENTS(x86_direct); i++)
    if (x86_direct[i].pseudo == number) return x86_direct[i].number;
  return number;
}

static int add_rule(struct program *p, const json_t *json, struct err *err) {
  struct bpf_rule rule = {0};
  int r = action_of(json, "action", "errnoRet", &rule.action);
  if (r == 0) r = args_of(json_object_get(json, "args"), &rule);
  if (r < 0) return err_set(err, -r, "seccomp", "a rule of the profile");
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(json, "names"), i, item) for (size_t k = 0; json_is_string(item) && k < p->n_abis; k++) {
    for (unsigned a = 0; a < rule.n_args; a++) rule.args[a].narrow = p->abis[k].narrow;
    int64_t number = resolve(p->abis[k].token, json_string_value(item));
    if (number >= 0 && (r = bpf_add(p->abis[k].arch, (uint32_t)number, &rule)) < 0) return err_set(err, -r, "seccomp", "%s", "");
  }
  return 0;
}

int seccomp_profile_compile(const char *json, size_t len, uint64_t caps, struct sock_filter **ret, size_t *ret_n, struct err *err) {
  __attribute__((cleanup(cleanup_json_p))) json_t *root = json_loadb(json, len, 0, NULL);
  struct program p = {0};
  if (!root || action_of(root, "defaultAction", "defaultErrnoRet", &p.otherwise) < 0) return err_set(err, EINVAL, "seccomp", "the profile");
  add_abis(&p, root);
  size_t i;
  json_t *rule;
  int r = 0;
  json_array_foreach(json_object_get(root, "syscalls"), i, rule) if (r == 0 && applies(rule, caps)) r = add_rule(&p, rule, err);
  if (r == 0 && (r = bpf_program(p.archs, p.n_archs, p.otherwise, ret, ret_n)) < 0) err_set(err, -r, "seccomp", "compile");
  for (i = 0; i < p.n_archs; i++) bpf_free(&p.archs[i]);
  return r;
}

static json_t *resolve_arches(const json_t *profile) {
  json_t *given = json_object_get(profile, "architectures"), *map, *sub;
  size_t i, k;
  if (json_array_size(given)) return json_incref(given);
  json_t *list = json_pack("[s]", arch_key);
  json_array_foreach(json_object_get(profile, "archMap"), i, map) {
    const char *name = json_string_value(json_object_get(map, "architecture"));
    if (!name || strcmp(name, arch_key) != 0) continue;
    json_array_foreach(json_object_get(map, "subArchitectures"), k, sub) json_array_append(list, sub);
  }
  return list;
}

json_t *seccomp_profile_resolve(json_t *profile, uint64_t caps) {
  json_t *ret = json_copy(profile), *rules = json_array(), *rule;
  size_t i;
  json_array_foreach(json_object_get(profile, "syscalls"), i, rule) if (applies(rule, caps)) json_array_append(rules, rule);
  if (json_object_set_new(ret, "syscalls", rules) < 0 || json_object_set_new(ret, "architectures", resolve_arches(profile)) < 0) {
    json_decref(ret);
    return NULL;
  }
  return ret;
}

int seccomp_profile_caps(const char *json, size_t len, uint64_t *ret, struct err *err) {
  __attribute__((cleanup(cleanup_json_p))) json_t *root = json_loadb(json, len, 0, NULL);
  if (!root) return err_set(err, EINVAL, "seccomp", "the profile");
  size_t i, k;
  json_t *rule, *name;
  *ret = 0;
  json_array_foreach(json_object_get(root, "syscalls"), i, rule) {
    const char *const keys[] = {"includes", "excludes"};
    for (size_t n = 0; n < 2; n++) json_array_foreach(json_object_get(json_object_get(rule, keys[n]), "caps"), k, name) {
        int number = json_is_string(name) ? cap_number(json_string_value(name)) : -EINVAL;
        if (number >= 0) *ret |= 1ull << number;
      }
  }
  return 0;
}
