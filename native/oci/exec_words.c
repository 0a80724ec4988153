/* podrt exec for OCI engines: its command line, and the process that follows from it; see exec.h. */
#include <fcntl.h>
#include <jansson.h>

#include "exec.h"
#include "lib/jsonload.h"
#include "lib/number.h"
#include "make.h"
#include "passed.h"
#include "selinux.h"

enum { PROCESS_MAX = 16 * 1024 * 1024 };

/* --- words --- */

int exec_words_read(int argc, char **argv, struct exec_words *w, struct err *err) {
  *w = (struct exec_words){0};
  const struct oci_option table[] = {
      {"process", 'p', OCI_VALUE, &w->file},
      {"tty", 't', OCI_FLAG, &w->tty},
      {"cwd", 0, OCI_VALUE, &w->cwd},
      {"env", 'e', OCI_LIST, &w->env},
      {"user", 'u', OCI_VALUE, &w->user},
      {"additional-gids", 'g', OCI_LIST, &w->groups},
      {"cap", 'c', OCI_LIST, &w->caps},
      {"no-new-privs", 0, OCI_FLAG, &w->no_new_privs},
      {"apparmor", 0, OCI_VALUE, &w->apparmor},
      {"process-label", 0, OCI_VALUE, &w->label},
      {"cgroup", 0, OCI_VALUE, &w->cgroup},
      {"preserve-fds", 0, OCI_VALUE, &w->preserve},
      {"detach", 'd', OCI_FLAG, &w->detach},
      {"pid-file", 0, OCI_VALUE, &w->pid_file},
      {"console-socket", 0, OCI_VALUE, &w->console_socket},
      {"pidfd-socket", 0, OCI_VALUE, &w->pidfd_socket},
      {"ignore-paused", 0, OCI_FLAG, &w->ignore_paused},
      {"no-subreaper", 0, OCI_FLAG, &(bool){false}},
  };
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), err);
  if (i < 0) return i;
  if (i < argc) w->id = argv[i++];
  /* "--" between the two is no part of the command: crun and docker's users write it. */
  if (i < argc && !strcmp(argv[i], "--")) i++;
  w->args = argv + i;
  if (!w->id || (w->file ? i < argc : i >= argc || !argv[i][0]))
    return err_set(err, 0, "usage", "podrt exec [options] ID COMMAND [ARG…], or podrt exec --process FILE [options] ID");
  if (w->cwd && w->cwd[0] != '/') return err_set(err, 0, "option", "--cwd: expected an absolute path, not %s", w->cwd);
  return 0;
}

void exec_words_free(struct exec_words *w) {
  free(w->env.word);
  free(w->groups.word);
  free(w->caps.word);
}

/* --- the process --- */

static int read_id(const char *text, const char *option, uint32_t *ret, struct err *err) {
  uint64_t n;
  if (number_parse(text, false, 0, UINT32_MAX - 1, &n) < 0)
    return err_set(err, 0, "option", "--%s: expected numbers, not %s", option, text);
  *ret = (uint32_t)n;
  return 0;
}

static int set_user(const struct exec_words *w, struct oci_process *p, struct err *err) {
  if (!w->user) return 0;
  const size_t len = strcspn(w->user, ":");
  cleanup_free char *user = strndup(w->user, len);
  if (!user) return err_set(err, ENOMEM, "option", "--user");
  int r = read_id(user, "user", &p->uid, err);
  return r == 0 && w->user[len] ? read_id(w->user + len + 1, "user", &p->gid, err) : r;
}

static int add_groups(const struct exec_words *w, struct exec_plan *plan, struct err *err) {
  struct oci_process *p = &plan->process;
  if (!w->groups.n) return 0;
  plan->groups = calloc(p->n_groups + w->groups.n, sizeof *plan->groups);
  if (!plan->groups) return err_set(err, ENOMEM, "option", "--additional-gids");
  if (p->n_groups) memcpy(plan->groups, p->groups, p->n_groups * sizeof *p->groups);
  p->groups = plan->groups;
  for (size_t i = 0; i < w->groups.n; i++) {
    int r = read_id(w->groups.word[i], "additional-gids", &p->groups[p->n_groups++], err);
    if (r < 0) return r;
  }
  return 0;
}

static int add_caps(const struct exec_words *w, struct oci_process *p, struct err *err) {
  for (size_t i = 0; i < w->caps.n; i++) {
    int number = cap_number(w->caps.word[i]);
    if (number < 0) return err_set(err, 0, "option", "--cap: unknown capability %s", w->caps.word[i]);
    const uint64_t bit = 1ull << number;
    p->caps.bounding |= bit;
    p->caps.effective |= bit;
    p->caps.permitted |= bit;
    /* Ambient ones must be inheritable, which the option does not make them. */
    p->caps.ambient |= p->caps.inheritable & bit;
    p->has_caps = true;
  }
  return 0;
}

/* The container's own, changed. */
static int by_words(const struct exec_words *w, struct exec_plan *plan, struct err *err) {
  struct oci_process *p = &plan->process;
  *p = plan->spec.process;
  if (!plan->spec.has_process) *p = (struct oci_process){.cwd = "/"};
  p->args = (const char **)w->args;
  p->terminal = w->tty;
  if (!w->tty) p->rows = p->columns = 0;
  if (w->cwd) p->cwd = w->cwd;
  if (w->apparmor) p->apparmor = w->apparmor;
  if (w->label) p->selinux = w->label;
  if (w->no_new_privs) p->no_new_privs = true;
  plan->more_env = w->env.word;
  int r = set_user(w, p, err);
  if (r == 0) r = add_groups(w, plan, err);
  return r == 0 ? add_caps(w, p, err) : r;
}

static int by_file(const struct exec_words *w, struct exec_plan *plan, struct err *err) {
  cleanup_free char *text = NULL;
  size_t len;
  int r = read_file_at(AT_FDCWD, w->file, PROCESS_MAX, &text, &len);
  if (r < 0) return err_set(err, -r, "process", "%s", w->file);
  json_error_t where;
  plan->tree = json_load(text, len, &where);
  if (!plan->tree) return err_set(err, 0, "process", "%s:%d:%d: %s", w->file, where.line, where.column, where.text);
  r = oci_process_parse(plan->tree, "process", &plan->given, err);
  if (r < 0) return r;
  const struct oci_process *own = &plan->spec.process;
  struct oci_process *p = &plan->process;
  *p = plan->given;
  if (!p->args) return err_set(err, 0, "process", "%s: no args", w->file);
  if (w->tty) p->terminal = true;
  if (!plan->spec.has_process) return 0;
  if (!p->has_caps) {
    p->caps = own->caps;
    p->has_caps = own->has_caps;
  }
  if (!p->apparmor) p->apparmor = own->apparmor;
  if (!p->selinux) p->selinux = own->selinux;
  if (!p->n_rlimits) {
    p->rlimits = own->rlimits;
    p->n_rlimits = own->n_rlimits;
  }
  return 0;
}

static int check(const struct exec_words *w, const struct oci_process *p, struct err *err) {
  if (p->terminal && w->detach && !w->console_socket) return err_set(err, 0, "terminal", "--detach with a terminal needs --console-socket");
  if (!p->terminal && w->console_socket) return err_set(err, 0, "terminal", "--console-socket without a terminal");
  return oci_selinux_check(p, err);
}

static int check_status(const struct exec_words *w, const struct oci_container *c, struct err *err) {
  const enum oci_status status = oci_container_status(c);
  if (status == OCI_STOPPED || status == OCI_CREATING)
    return err_set(err, 0, "exec", "container \"%s\" is %s: container not running", c->id, oci_status_name(status));
  if (status == OCI_PAUSED && !w->ignore_paused) return err_set(err, 0, "exec", "container \"%s\" is paused (--ignore-paused)", c->id);
  return 0;
}

/* Its folder of programs made before is there since create. */
static int make_filter(int root, struct exec_plan *plan, struct err *err) {
  if (!plan->spec.has_seccomp) return 0;
  cleanup_fd int cache = openat(root, ".seccomp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return oci_filter_make(&plan->spec.seccomp, cache, &plan->filter, err);
}

int exec_plan_make(const struct oci_global *g, const struct exec_words *w, struct exec_plan *ret, struct err *err) {
  struct exec_plan plan = {.container.dir = -1};
  int r = oci_passed(w->preserve, &plan.preserve, &plan.listen_fds, err);
  if (r < 0) return r;
  cleanup_fd int root = oci_root_open(g->root, false, err);
  r = oci_container_open(root, w->id, &plan.container, err);
  if (r == 0) r = check_status(w, &plan.container, err);
  if (r == 0) r = oci_container_spec(&plan.container, &plan.spec, err);
  plan.keep_groups = r == 0 && oci_keeps_groups(&plan.spec);
  if (r == 0) r = w->file ? by_file(w, &plan, err) : by_words(w, &plan, err);
  if (r == 0) r = check(w, &plan.process, err);
  if (r == 0) oci_process_grant(g, &plan.process, plan.spec.ns[OCI_USER].listed);
  if (r == 0) r = make_filter(root, &plan, err);
  if (r < 0)
    exec_plan_free(&plan);
  else
    *ret = plan;
  return r;
}

void exec_plan_free(struct exec_plan *plan) {
  oci_filter_free(&plan->filter);
  oci_process_free(&plan->given);
  json_decref(plan->tree);
  free(plan->groups);
  oci_spec_free(&plan->spec);
  oci_container_free(&plan->container);
}
