/*
 * podrt gate [--after|--requires] POD:CONDITION…: what pod-X__gate.service waits for before the pod's containers start. It waits for ever,
 * as the pod's unit does, and says for whom in its status. It does not fail for what comes and goes: its containers only want it.
 */
#include "lib/condition.h"
#include "lib/deadline.h"
#include "lib/notify.h"
#include "verbs.h"

/* A look at least every so often: that a pod is gone is told by no folder. */
enum { LOOK_MS = 500 };

struct wish {
  bool requires;
  char *pod; /* "pods/db" */
  enum condition condition;
};

/* "db:ready", or the reason to refuse it as a usage error. */
static bool parse_wish(const char *word, bool requires, struct wish *ret) {
  const char *colon = strchr(word, ':');
  if (!colon || colon == word || word[0] == '.' || memchr(word, '/', (size_t)(colon - word))) return false;
  if (!condition_parse(colon + 1, &ret->condition)) return false;
  ret->requires = requires;
  ret->pod = xformat("pods/%.*s", (int)(colon - word), word);
  return ret->pod;
}

/* A status line per pod that is waited for, not per look. */
static void say(const struct wish *w, const struct wish **said) {
  if (*said == w) return;
  *said = w;
  cleanup_free char *text = xformat("STATUS=waits for pod %s to be %s", w->pod + 5, condition_word(w->condition));
  if (text) (void)notify_send(text);
}

/* True when nothing is to be waited for any more; else some time has passed. */
static bool look(int run, const struct wish *w, const struct wish **said) {
  cleanup_fd int folder = -1;
  enum pod_state state = condition_look(run, w->pod, w->condition, &folder);
  if (state == POD_THERE || (state == POD_ABSENT && !w->requires)) return true;
  say(w, said);
  cleanup_fd int watch = folder < 0 ? -1 : watch_folder(folder);
  /* Once more, now that nothing is missed. */
  int again = -1;
  if (condition_look(run, w->pod, w->condition, &again) == POD_THERE) return true;
  if (again >= 0) close(again);
  const int64_t until = clock_ms() + LOOK_MS;
  if (watch < 0 || watch_wait(watch, until) < 0)
    for (unsigned naps = 200; clock_ms() < until;) nap(&naps);
  return false;
}

static int usage(void) {
  fputs("usage: podrt gate {--after|--requires} POD:started|ready|completed …\n", stderr);
  return 64;
}

int verb_gate(int argc, char **argv) {
  if (argc < 3 || argc % 2 == 0) return usage();
  struct err err;
  const size_t n = (size_t)argc / 2;
  cleanup_free struct wish *wishes = calloc(n, sizeof *wishes);
  if (!wishes) return 125;
  int code = 0;
  for (size_t i = 0; i < n && code == 0; i++) {
    const char *option = argv[1 + 2 * i];
    const bool requires = !strcmp(option, "--requires");
    if ((!requires && strcmp(option, "--after")) || !parse_wish(argv[2 + 2 * i], requires, &wishes[i])) code = usage();
  }
  cleanup_fd int run = code ? -1 : run_open(&err);
  if (code == 0 && run < 0) {
    err_print(&err, "gate");
    code = 125;
  }
  const struct wish *said = NULL;
  for (size_t i = 0; i < n && code == 0; i++)
    while (!look(run, &wishes[i], &said)) continue;
  if (said) (void)notify_send("STATUS=");
  for (size_t i = 0; i < n; i++) free(wishes[i].pod);
  return code;
}
