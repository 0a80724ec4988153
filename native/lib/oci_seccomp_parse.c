/* linux.seccomp: from JSON to struct oci_seccomp, and the names it knows (runtime-spec, config-linux.md, "Seccomp"). */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>

#include "jsonget.h"
#include "jsonload.h"
#include "oci_seccomp.h"

/* Of kernel headers newer than Debian 12's libseccomp. */
#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 (258 | __AUDIT_ARCH_64BIT | __AUDIT_ARCH_LE)
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { MAX_RULES = 4096, MAX_NAMES = 4096, MAX_ARGS = 64, MAX_ARCHES = 32, MAX_FLAGS = 16 };

struct name {
  const char *name;
  uint32_t value;
};

static const struct name actions[] = {
    {"SCMP_ACT_KILL", SCMP_ACT_KILL},
    {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
    {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
    {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},
    {"SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0)},
    {"SCMP_ACT_TRACE", SCMP_ACT_TRACE(0)},
    {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW},
    {"SCMP_ACT_LOG", SCMP_ACT_LOG},
    {"SCMP_ACT_NOTIFY", SCMP_ACT_NOTIFY},
};
static const struct name operators[] = {
    {"SCMP_CMP_NE", SCMP_CMP_NE},
    {"SCMP_CMP_LT", SCMP_CMP_LT},
    {"SCMP_CMP_LE", SCMP_CMP_LE},
    {"SCMP_CMP_EQ", SCMP_CMP_EQ},
    {"SCMP_CMP_GE", SCMP_CMP_GE},
    {"SCMP_CMP_GT", SCMP_CMP_GT},
    {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
};
static const struct name arches[] = {
    {"SCMP_ARCH_X86", SCMP_ARCH_X86},
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64},
    {"SCMP_ARCH_MIPS", SCMP_ARCH_MIPS},
    {"SCMP_ARCH_MIPS64", SCMP_ARCH_MIPS64},
    {"SCMP_ARCH_MIPS64N32", SCMP_ARCH_MIPS64N32},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL},
    {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32},
    {"SCMP_ARCH_PPC", SCMP_ARCH_PPC},
    {"SCMP_ARCH_PPC64", SCMP_ARCH_PPC64},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE},
    {"SCMP_ARCH_S390", SCMP_ARCH_S390},
    {"SCMP_ARCH_S390X", SCMP_ARCH_S390X},
    {"SCMP_ARCH_PARISC", SCMP_ARCH_PARISC},
    {"SCMP_ARCH_PARISC64", SCMP_ARCH_PARISC64},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64},
    {"SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64},
    {"SCMP_ARCH_M68K", AUDIT_ARCH_M68K},
    {"SCMP_ARCH_SH", AUDIT_ARCH_SHEL},
    {"SCMP_ARCH_SHEB", AUDIT_ARCH_SH},
};
static const struct name flags[] = {
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};
static const struct {
  const struct name *names;
  size_t n;
} tables[] = {
    [OCI_SECCOMP_ACTIONS] = {actions, N_ELEMENTS(actions)},
    [OCI_SECCOMP_OPERATORS] = {operators, N_ELEMENTS(operators)},
    [OCI_SECCOMP_ARCHES] = {arches, N_ELEMENTS(arches)},
    [OCI_SECCOMP_FLAGS] = {flags, N_ELEMENTS(flags)},
};

const char *oci_seccomp_name(enum oci_seccomp_kind kind, size_t i) {
  return i < tables[kind].n ? tables[kind].names[i].name : NULL;
}

bool oci_seccomp_flag_works(size_t i) {
  unsigned wanted = flags[i].value;
  /* Only with a listener, seccomp(2). */
  if (wanted == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) wanted |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  /* The kernel looks at the flags before it looks for the program. */
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, wanted, NULL) < 0 && errno == EFAULT;
}

static int lookup(enum oci_seccomp_kind kind, const char *name, const char *at, const char *key, uint32_t *ret, struct err *err) {
  for (size_t i = 0; i < tables[kind].n; i++)
    if (!strcmp(tables[kind].names[i].name, name)) {
      *ret = tables[kind].names[i].value;
      return 0;
    }
  return err_set(err, 0, "seccomp", "%s.%s: \"%.64s\" is not known", at, key, name);
}

/* An action with its number: errno's, or the message to a tracer. Others take none (runtime-spec: MUST fail). */
static int get_action(const json_t *object, const char *at, const char *key, const char *number_key, uint32_t *ret, struct err *err) {
  const char *name = NULL;
  int64_t number = -1;
  int r = json_get_string(object, at, key, true, &name, err);
  if (r == 0) r = lookup(OCI_SECCOMP_ACTIONS, name, at, key, ret, err);
  if (r == 0) r = json_get_int(object, at, number_key, 0, UINT16_MAX, &number, err);
  if (r < 0) return r;
  const bool takes = *ret == SCMP_ACT_ERRNO(0) || *ret == SCMP_ACT_TRACE(0);
  if (number >= 0 && !takes) return err_set(err, 0, "seccomp", "%s.%s: %s takes none", at, number_key, name);
  if (takes) *ret |= number >= 0 ? (uint32_t)number : EPERM;
  return 0;
}

static int get_arg(const json_t *object, const char *at, struct oci_seccomp_arg *ret, struct err *err) {
  int64_t index = -1;
  uint32_t op;
  const char *name = NULL;
  int r = json_get_int(object, at, "index", 0, 5, &index, err);
  if (r == 0 && (index < 0 || !json_object_get(object, "value"))) r = err_set(err, 0, "seccomp", "%s: index or value is not there", at);
  if (r == 0) r = json_get_string(object, at, "op", true, &name, err);
  if (r == 0) r = lookup(OCI_SECCOMP_OPERATORS, name, at, "op", &op, err);
  if (r == 0) r = json_get_uint64(object, at, "value", UINT64_MAX, &ret->value, err);
  if (r == 0) r = json_get_uint64(object, at, "valueTwo", UINT64_MAX, &ret->value_two, err);
  if (r < 0) return r;
  ret->index = (unsigned)index;
  ret->op = (int)op;
  return 0;
}

static int get_rule(const json_t *object, const char *at, struct oci_seccomp_rule *ret, struct err *err) {
  json_t *args = NULL, *item;
  size_t i, n = 0;
  int r = json_get_strings(object, at, "names", MAX_NAMES, &ret->names, &n, err);
  if (r == 0 && !n) r = err_set(err, 0, "seccomp", "%s.names: expected at least one", at);
  if (r == 0) r = get_action(object, at, "action", "errnoRet", &ret->action, err);
  if (r == 0) r = json_get_objects(object, at, "args", MAX_ARGS, &args, err);
  if (r < 0 || !json_array_size(args)) return r;
  ret->args = calloc(json_array_size(args), sizeof *ret->args);
  if (!ret->args) return err_set(err, ENOMEM, "seccomp", "%s", at);
  json_array_foreach(args, i, item) {
    char path[JSON_AT_MAX];
    json_at_index(path, at, "args", i);
    if ((r = get_arg(item, path, &ret->args[ret->n_args++], err)) < 0) return r;
  }
  return 0;
}

static int get_rules(const json_t *tree, const char *at, struct oci_seccomp *s, struct err *err) {
  json_t *rules = NULL, *item;
  size_t i;
  int r = json_get_objects(tree, at, "syscalls", MAX_RULES, &rules, err);
  if (r < 0 || !json_array_size(rules)) return r;
  s->rules = calloc(json_array_size(rules), sizeof *s->rules);
  if (!s->rules) return err_set(err, ENOMEM, "seccomp", "%s", at);
  json_array_foreach(rules, i, item) {
    char path[JSON_AT_MAX];
    json_at_index(path, at, "syscalls", i);
    if ((r = get_rule(item, path, &s->rules[s->n_rules++], err)) < 0) return r;
  }
  return 0;
}

static int get_arches(const json_t *tree, const char *at, struct oci_seccomp *s, struct err *err) {
  cleanup_free const char **names = NULL;
  size_t n = 0;
  int r = json_get_strings(tree, at, "architectures", MAX_ARCHES, &names, &n, err);
  if (r < 0 || !n) return r;
  s->arches = calloc(n, sizeof *s->arches);
  if (!s->arches) return err_set(err, ENOMEM, "seccomp", "%s", at);
  for (size_t i = 0; r == 0 && i < n; i++) r = lookup(OCI_SECCOMP_ARCHES, names[i], at, "architectures", &s->arches[s->n_arches++], err);
  return r;
}

static int get_flags(const json_t *tree, const char *at, struct oci_seccomp *s, struct err *err) {
  cleanup_free const char **names = NULL;
  size_t n = 0;
  int r = json_get_strings(tree, at, "flags", MAX_FLAGS, &names, &n, err);
  for (size_t i = 0; r == 0 && i < n; i++) {
    uint32_t flag = 0;
    r = lookup(OCI_SECCOMP_FLAGS, names[i], at, "flags", &flag, err);
    s->flags |= flag;
  }
  return r;
}

/* What cannot work, told before anything is made. */
static int check(const struct oci_seccomp *s, const char *at, struct err *err) {
  bool notifies = false;
  if (s->listener_metadata && !s->listener_path) return err_set(err, 0, "seccomp", "%s.listenerMetadata: only with listenerPath", at);
  if (s->default_action == SCMP_ACT_NOTIFY)
    return err_set(err, 0, "seccomp", "%s.defaultAction: SCMP_ACT_NOTIFY would stop podrt itself", at);
  for (size_t i = 0; i < s->n_rules; i++) {
    if (s->rules[i].action != SCMP_ACT_NOTIFY) continue;
    notifies = true;
    /* By these podrt says that the listener is there, and hands it on. */
    for (size_t k = 0; s->rules[i].names[k]; k++)
      if (!strcmp(s->rules[i].names[k], "write") || !strcmp(s->rules[i].names[k], "sendmsg"))
        return err_set(err, 0, "seccomp", "%s.syscalls[%zu]: SCMP_ACT_NOTIFY of %s would stop podrt itself", at, i, s->rules[i].names[k]);
  }
  if (notifies && !s->listener_path) return err_set(err, 0, "seccomp", "%s: SCMP_ACT_NOTIFY without listenerPath", at);
  return 0;
}

int oci_seccomp_parse(const json_t *tree, const char *at, struct oci_seccomp *ret, struct err *err) {
  struct oci_seccomp s = {0};
  int r = get_action(tree, at, "defaultAction", "defaultErrnoRet", &s.default_action, err);
  if (r == 0) r = get_arches(tree, at, &s, err);
  if (r == 0) r = get_flags(tree, at, &s, err);
  if (r == 0) r = json_get_string(tree, at, "listenerPath", false, &s.listener_path, err);
  if (r == 0) r = json_get_string(tree, at, "listenerMetadata", false, &s.listener_metadata, err);
  if (r == 0) r = get_rules(tree, at, &s, err);
  /* Engines that write out every member. */
  if (s.listener_path && !*s.listener_path) s.listener_path = NULL;
  if (s.listener_metadata && !*s.listener_metadata) s.listener_metadata = NULL;
  if (r == 0) r = check(&s, at, err);
  if (r < 0) {
    oci_seccomp_free(&s);
    return r;
  }
  *ret = s;
  return 0;
}

void oci_seccomp_free(struct oci_seccomp *s) {
  for (size_t i = 0; i < s->n_rules; i++) {
    free(s->rules[i].names);
    free(s->rules[i].args);
  }
  free(s->rules);
  free(s->arches);
  *s = (struct oci_seccomp){0};
}
