/*
 * podrt: one program, many verbs, for two kinds of callers. podgen's units call podgen's own verbs (README.md); OCI engines call it as they
 * call runc and crun, with global options before the verb (oci/verbs.h). Where both have a verb of one name its words tell them apart.
 */
#include <fcntl.h>

#include "oci/verbs.h"
#include "verbs.h"

struct verb {
  const char *name;
  int (*own)(int argc, char **argv); /* podgen's; argv[0] is the verb; returns the exit code */
  int (*oci)(const struct oci_global *g, int argc, char **argv);
};

static const struct verb verbs[] = {
    {"pause", verb_pause, oci_pause},
    {"infra", verb_infra, NULL},
    {"uplink", verb_uplink, NULL},
    {"run", verb_run, oci_run},
    {"oneshot", verb_oneshot, NULL},
    {"wait", verb_wait, NULL},
    {"exec", verb_exec, oci_exec},
    {"forward", verb_forward, NULL},
    {"balance", verb_balance, NULL},
    {"gate", verb_gate, NULL},
    {"mark", verb_mark, NULL},
    {"refresh", verb_refresh, NULL},
    {"attach", verb_attach, NULL},
    {"hook", verb_hook, NULL},
    {"deadline", verb_deadline, NULL},
    {"unshare", verb_unshare, NULL},
    {"changes", verb_changes, NULL},
    {"mount", verb_mount, NULL},
    {"unmount", verb_unmount, NULL},
    {"layer", verb_layer, NULL},
    {"repack", verb_repack, NULL},
    {"recode", verb_recode, NULL},
    {"job", verb_job, NULL},
    {"rmtree", verb_rmtree, NULL},
    {"swap", verb_swap, NULL},
    {"probe", verb_probe, NULL},
    {"machine", verb_machine, NULL},
    {"cron", verb_cron, NULL},
    {"drain", verb_drain, NULL},
    {"create", NULL, oci_create},
    {"start", NULL, oci_start},
    {"state", NULL, oci_state},
    {"kill", NULL, oci_kill},
    {"delete", NULL, oci_delete},
    {"ps", NULL, oci_ps},
    {"list", NULL, oci_list},
    {"resume", NULL, oci_resume},
    {"update", NULL, oci_update},
    {"events", NULL, oci_events},
    {"features", NULL, oci_features},
    {"spec", NULL, oci_spec_verb},
};

/*
 * podgen says `pause` (and its second stage `pause --hold`), `run --bundle DIR` and `exec [OPTIONS] pods/POD/CONTAINER -- CMD…`; an engine
 * names a container in all three, and an id has no slash.
 */
static bool is_own(const struct verb *v, int argc, char **argv) {
  if (!v->own || !v->oci) return v->own;
  if (!strcmp(v->name, "pause")) return argc == 1 || !strcmp(argv[1], "--hold");
  if (!strcmp(v->name, "run")) return argc == 3 && !strcmp(argv[1], "--bundle");
  for (int i = 2; i < argc; i++)
    if (!strcmp(argv[i], "--")) return !strncmp(argv[i - 1], "pods/", 5);
  return false;
}

static void usage(FILE *to) {
  fputs(
      "usage: podrt [--root DIR] [--log FILE] [--log-format text|json] [--debug] [--systemd-cgroup] [--cgroup-manager NAME]\n"
      "             [--rootless auto|true|false] VERB …\nverbs:",
      to);
  for (size_t i = 0; i < N_ELEMENTS(verbs); i++) fprintf(to, " %s", verbs[i].name);
  fputs("\n", to);
}

static void version(void) {
  puts("podrt version " PODRT_VERSION "\nspec: " OCI_VERSION);
}

/* The words before the verb. Returns the verb's index. */
static int read_globals(int argc, char **argv, struct oci_global *g, bool *ret_done, struct err *err) {
  const char *format = "text", *manager = NULL, *rootless = "auto";
  bool show_version = false, help = false;
  const struct oci_option table[] = {
      {"root", 0, OCI_VALUE, &g->root},           {"log", 0, OCI_VALUE, &g->log},
      {"log-format", 0, OCI_VALUE, &format},      {"log-level", 0, OCI_VALUE, &g->log_level},
      {"debug", 0, OCI_FLAG, &g->debug},          {"systemd-cgroup", 0, OCI_FLAG, &g->systemd_cgroup},
      {"cgroup-manager", 0, OCI_VALUE, &manager}, {"rootless", 0, OCI_VALUE, &rootless},
      {"version", 'v', OCI_FLAG, &show_version},  {"help", 'h', OCI_FLAG, &help},
  };
  int i = oci_options(argc, argv, table, N_ELEMENTS(table), err);
  if (i < 0) return i;
  if (show_version) version();
  if (help) usage(stdout);
  *ret_done = show_version || help;
  if (strcmp(format, "text") && strcmp(format, "json")) return err_set(err, 0, "option", "--log-format: expected text or json");
  g->log_json = !strcmp(format, "json");
  if (manager && strcmp(manager, "cgroupfs") && strcmp(manager, "systemd") && strcmp(manager, "disabled"))
    return err_set(err, 0, "option", "--cgroup-manager: expected cgroupfs, systemd or disabled");
  g->systemd_cgroup = g->systemd_cgroup || (manager && !strcmp(manager, "systemd"));
  g->cgroup_disabled = manager && !strcmp(manager, "disabled");
  if (strcmp(rootless, "auto") && strcmp(rootless, "true") && strcmp(rootless, "false"))
    return err_set(err, 0, "option", "--rootless: expected auto, true or false");
  g->rootless = !strcmp(rootless, "auto") ? OCI_ROOTLESS_AUTO : !strcmp(rootless, "true") ? OCI_ROOTLESS_TRUE : OCI_ROOTLESS_FALSE;
  return i;
}

/* Else what we open could become the container's standard output. */
static bool has_stdio(void) {
  for (int fd = 0; fd < 3; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
  return true;
}

int main(int argc, char **argv) {
  struct oci_global g = {0};
  struct err err;
  bool done = false;
  int at = read_globals(argc, argv, &g, &done, &err);
  if (at < 0) return oci_fail(&g, &err);
  if (done) return 0;
  if (!has_stdio()) return 1;
  for (size_t i = 0; at < argc && i < N_ELEMENTS(verbs); i++) {
    if (strcmp(argv[at], verbs[i].name)) continue;
    if (at == 1 && is_own(&verbs[i], argc - at, argv + at)) return verbs[i].own(argc - at, argv + at);
    if (verbs[i].oci) return verbs[i].oci(&g, argc - at, argv + at);
  }
  usage(stderr);
  return 64;
}
