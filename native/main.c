/* podrt: one program, many verbs. Picks the verb and passes the words on; what each does stands in README.md. */
#include "verbs.h"

struct verb {
  const char *name;
  int (*main)(int argc, char **argv); /* argv[0] is the verb; returns the exit code */
};

static const struct verb verbs[] = {
    {"pause", verb_pause},     {"infra", verb_infra}, {"uplink", verb_uplink}, {"run", verb_run},
    {"oneshot", verb_oneshot}, {"wait", verb_wait},   {"exec", verb_exec},     {"forward", verb_forward},
    {"unshare", verb_unshare}, {"layer", verb_layer}, {"rmtree", verb_rmtree}, {"features", verb_features},
};

int main(int argc, char **argv) {
  if (argc >= 2 && !strcmp(argv[1], "--version")) {
    puts("podrt 0.1.0");
    return 0;
  }
  for (size_t i = 0; argc >= 2 && i < N_ELEMENTS(verbs); i++)
    if (!strcmp(argv[1], verbs[i].name)) return verbs[i].main(argc - 1, argv + 1);
  fputs("usage: podrt VERB …; verbs:", stderr);
  for (size_t i = 0; i < N_ELEMENTS(verbs); i++) fprintf(stderr, " %s", verbs[i].name);
  fputs("\n", stderr);
  return 64;
}
