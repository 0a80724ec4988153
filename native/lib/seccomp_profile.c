/* The field's seccomp profile to BPF: see seccomp_profile.h. Format: containers/common pkg/seccomp, the same as Docker's. */
#include "seccomp_profile.h"

#include <fcntl.h>
#include <jansson.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "caps.h"

static void cleanup_json_p(json_t **j) {
  json_decref(*j);
}
static void cleanup_filter_p(scmp_filter_ctx *c) {
  if (*c) seccomp_release(*c);
}

/* Profiles name architectures as Go does. */
#if defined(__x86_64__)
static const char *const arch_names[] = {"amd64"};
static const char arch_key[] = "SCMP_ARCH_X86_64";
#elif defined(__aarch64__)
static const char *const arch_names[] = {"arm64"};
static const char arch_key[] = "SCMP_ARCH_AARCH64";
#elif defined(__riscv)
static const char *const arch_names[] = {"riscv64"};
static const char arch_key[] = "SCMP_ARCH_RISCV64";
#else
#error "name this architecture as the profile does"
#endif

static const struct {
  const char *name;
  uint32_t token;
} arches[] = {{"SCMP_ARCH_X86", SCMP_ARCH_X86}, {"SCMP_ARCH_X32", SCMP_ARCH_X32}, {"SCMP_ARCH_ARM", SCMP_ARCH_ARM}};

static const struct {
  const char *name;
  enum scmp_compare op;
} compares[] = {
    {"SCMP_CMP_NE", SCMP_CMP_NE},
    {"SCMP_CMP_LT", SCMP_CMP_LT},
    {"SCMP_CMP_LE", SCMP_CMP_LE},
    {"SCMP_CMP_EQ", SCMP_CMP_EQ},
    {"SCMP_CMP_GE", SCMP_CMP_GE},
    {"SCMP_CMP_GT", SCMP_CMP_GT},
    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};

static int action_of(const json_t *rule, const char *key, const char *errno_key, uint32_t *ret) {
  const char *name = json_string_value(json_object_get(rule, key));
  const json_t *code = json_object_get(rule, errno_key);
  if (!name) return -EINVAL;
  if (!strcmp(name, "SCMP_ACT_ALLOW"))
    *ret = SCMP_ACT_ALLOW;
  else if (!strcmp(name, "SCMP_ACT_ERRNO"))
    *ret = SCMP_ACT_ERRNO(json_is_integer(code) ? (uint32_t)json_integer_value(code) : EPERM);
  else if (!strcmp(name, "SCMP_ACT_KILL_PROCESS"))
    *ret = SCMP_ACT_KILL_PROCESS;
  else if (!strcmp(name, "SCMP_ACT_LOG"))
    *ret = SCMP_ACT_LOG;
  else
    return -EINVAL;
  return 0;
}

static bool names_our_arch(const json_t *list) {
  size_t i;
  json_t *item;
  json_array_foreach((json_t *)list, i,
                     item) for (size_t k = 0; k < N_ELEMENTS(arch_names);
                                k++) if (!strcmp(json_string_value(item) ? json_string_value(item) : "", arch_names[k])) return true;
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

static int args_of(const json_t *list, struct scmp_arg_cmp ret[6], unsigned *ret_n) {
  size_t i;
  json_t *item;
  *ret_n = 0;
  json_array_foreach((json_t *)list, i, item) {
    const char *op = json_string_value(json_object_get(item, "op"));
    json_int_t index = json_integer_value(json_object_get(item, "index"));
    if (*ret_n == 6 || !op || index < 0 || index > 5) return -EINVAL;
    struct scmp_arg_cmp *a = &ret[(*ret_n)++];
    *a = (struct scmp_arg_cmp){.arg = (unsigned)index, .op = _SCMP_CMP_MIN};
    for (size_t k = 0; k < N_ELEMENTS(compares); k++)
      if (!strcmp(op, compares[k].name)) a->op = compares[k].op;
    if (a->op == _SCMP_CMP_MIN) return -EINVAL;
    a->datum_a = (scmp_datum_t)json_integer_value(json_object_get(item, "value"));
    a->datum_b = (scmp_datum_t)json_integer_value(json_object_get(item, "valueTwo"));
  }
  return 0;
}

static int add_rule(scmp_filter_ctx ctx, const json_t *rule, uint32_t default_action, struct err *err) {
  struct scmp_arg_cmp args[6];
  unsigned n = 0;
  uint32_t action;
  int r = action_of(rule, "action", "errnoRet", &action);
  if (r == 0) r = args_of(json_object_get(rule, "args"), args, &n);
  if (r < 0) return err_set(err, -r, "seccomp", "a rule of the profile");
  if (action == default_action) return 0;
  size_t i;
  json_t *item;
  json_array_foreach(json_object_get(rule, "names"), i, item) {
    const char *name = json_string_value(item);
    int number = name ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;
    if (number == __NR_SCMP_ERROR) continue;
    /* -EEXIST: a rule for all of this system call is there already; the first one holds, as in the other runtimes. */
    r = seccomp_rule_add_array(ctx, action, number, n, args);
    if (r < 0 && r != -EEXIST) return err_set(err, -r, "seccomp", "rule for %s", name);
  }
  return 0;
}

static int add_arches(scmp_filter_ctx ctx, const json_t *root) {
  size_t i, k;
  json_t *map, *sub;
  json_array_foreach(json_object_get(root, "archMap"), i, map) {
    const char *name = json_string_value(json_object_get(map, "architecture"));
    if (!name || strcmp(name, arch_key)) continue;
    json_array_foreach(json_object_get(map, "subArchitectures"), k,
                       sub) for (size_t a = 0; a < N_ELEMENTS(arches);
                                 a++) if (json_is_string(sub) && !strcmp(json_string_value(sub), arches[a].name)) {
      int r = seccomp_arch_add(ctx, arches[a].token);
      if (r < 0 && r != -EEXIST) return r;
    }
  }
  return 0;
}

/* libseccomp 2.5 writes programs to descriptors only. */
static int export_bpf(scmp_filter_ctx ctx, struct sock_filter **ret, size_t *ret_n) {
  cleanup_fd int fd = memfd_create("bpf", MFD_CLOEXEC);
  if (fd < 0) return -errno;
  int r = seccomp_export_bpf(ctx, fd);
  if (r < 0) return r;
  off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0 || size % (off_t)sizeof **ret) return -EBADMSG;
  cleanup_free struct sock_filter *code = malloc((size_t)size);
  if (!code) return -ENOMEM;
  if (pread(fd, code, (size_t)size, 0) != size) return -EIO;
  *ret = code;
  code = NULL;
  *ret_n = (size_t)size / sizeof **ret;
  return 0;
}

int seccomp_profile_compile(const char *json, size_t len, uint64_t caps, struct sock_filter **ret, size_t *ret_n, struct err *err) {
  __attribute__((cleanup(cleanup_json_p))) json_t *root = json_loadb(json, len, 0, NULL);
  uint32_t action;
  if (!root || action_of(root, "defaultAction", "defaultErrnoRet", &action) < 0) return err_set(err, EINVAL, "seccomp", "the profile");
  __attribute__((cleanup(cleanup_filter_p))) scmp_filter_ctx ctx = seccomp_init(action);
  if (!ctx) return err_set(err, ENOMEM, "seccomp", "%s", "");
  int r = add_arches(ctx, root);
  /* A binary tree: a quarter of the steps of a list, also when the kernel builds its table of calls that are always allowed. */
  if (r == 0) r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (r < 0) return err_set(err, -r, "seccomp", "architectures");
  size_t i;
  json_t *rule;
  json_array_foreach(json_object_get(root, "syscalls"), i, rule) {
    if (!applies(rule, caps)) continue;
    r = add_rule(ctx, rule, action, err);
    if (r < 0) return r;
  }
  r = export_bpf(ctx, ret, ret_n);
  return r < 0 ? err_set(err, -r, "seccomp", "compile") : 0;
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
