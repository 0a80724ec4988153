/* Ends of containers for good: see end.h. */
#include "end.h"

#include <fcntl.h>

#include "mains.h"
#include "manager.h"
#include "proc.h"
#include "signals.h"
#include "started.h"

/* --- which they are --- */

/* The next range of "1-41,43"; false at the end (*text is NULL then) and for what is none. */
static bool next_range(const char **text, unsigned *ret_from, unsigned *ret_to) {
  int used = 0;
  if (sscanf(*text, "%3u%n", ret_from, &used) != 1 || **text < '0' || **text > '9') return false;
  *text += used;
  *ret_to = *ret_from;
  if (**text == '-') {
    ++*text;
    if (sscanf(*text, "%3u%n", ret_to, &used) != 1 || **text < '0' || **text > '9') return false;
    *text += used;
  }
  if (*ret_to > 255 || *ret_to < *ret_from) return false;
  if (**text == ',') {
    ++*text;
    return true;
  }
  if (**text) return false;
  *text = NULL;
  return true;
}

bool end_codes_ok(const char *codes) {
  unsigned from, to;
  while (codes)
    if (!next_range(&codes, &from, &to)) return false;
  return true;
}

int end_exit_code(const struct end *end) {
  if (!strcmp(end->code, "exited")) return atoi(end->status);
  int number = *end->code ? signals_number(end->status) : -1;
  return number < 0 ? -1 : 128 + number;
}

bool end_is_success(const struct end *end) {
  return !strcmp(end->result, "success") && !strcmp(end->code, "exited") && !strcmp(end->status, "0");
}

bool end_is_final(const struct end_policy *policy, const struct end *end) {
  if (policy->init && end_is_success(end)) return true;
  const int code = end_exit_code(end);
  unsigned from, to;
  for (const char *codes = policy->codes; codes && next_range(&codes, &from, &to);)
    if (code >= (int)from && code <= (int)to) return false;
  return policy->restart == END_NEVER || (policy->restart == END_ON_FAILURE && end_is_success(end));
}

/* --- what follows --- */

/* "web" and "app" of "pods/web/app". */
static int names(const char *run_dir, char **ret_pod, const char **ret_container) {
  const char *slash = strrchr(run_dir, '/');
  if (strncmp(run_dir, "pods/", 5) || !slash || slash <= run_dir + 5) return -EINVAL;
  *ret_pod = strndup(run_dir + 5, (size_t)(slash - run_dir - 5));
  *ret_container = slash + 1;
  return *ret_pod ? 0 : -ENOMEM;
}

static int stop_unit(const char *pod, const char *container, struct err *err) {
  cleanup_free char *unit = container ? xformat("pod-%s_%s.service", pod, container) : xformat("pod-%s.service", pod);
  int r = unit ? manager_stop(unit) : -ENOMEM;
  return r < 0 ? err_set(err, -r, "stop", "%s", unit ? unit : "") : 0;
}

static bool all_done(int dir, const struct mains *mains) {
  struct err ignored;
  for (size_t i = 0; i < mains->n; i++) {
    cleanup_fd int container = run_open_at(dir, mains->names[i], false, &ignored);
    if (container < 0 || faccessat(container, STARTED_DONE, F_OK, AT_SYMLINK_NOFOLLOW) < 0) return false;
  }
  return true;
}

bool end_pod_is_over(int dir) {
  struct mains mains;
  if (mains_read(dir, &mains) < 0) return false;
  const bool over = all_done(dir, &mains);
  mains_free(&mains);
  return over;
}

/* Without `mains` the pod itself does not run, and nobody is to be stopped. */
static int stop_sidecars(int run, const char *pod, struct err *err) {
  struct err ignored;
  struct mains mains;
  cleanup_free char *folder = xformat("pods/%s", pod);
  cleanup_fd int dir = folder ? run_open_at(run, folder, false, &ignored) : -1;
  if (dir < 0 || mains_read(dir, &mains) < 0) return 0;
  int r = 0;
  const bool over = mains.n_sidecars && all_done(dir, &mains);
  if (over) mains_stopping(dir, false);
  for (size_t i = mains.n; over && i < mains.n + mains.n_sidecars; i++)
    if (stop_unit(pod, mains.names[i], err) < 0) r = -EIO;
  mains_free(&mains);
  return r;
}

int end_settle(int run, const char *run_dir, const struct end_policy *policy, const struct end *end, struct err *err) {
  cleanup_free char *pod = NULL;
  const char *container;
  int r = names(run_dir, &pod, &container);
  if (r < 0) return err_set(err, -r, "run folder", "%s", run_dir);
  cleanup_free char *unit = xformat("pod-%s_%s.service", pod, container);
  /* Without an answer it counts as an end of its own: to stop what nobody needs does less harm than to keep it for ever. */
  if (unit && manager_is_stopping(unit)) return 0;
  if (policy->init) return end_is_success(end) ? 0 : stop_unit(pod, NULL, err);
  cleanup_fd int dir = run_open_at(run, run_dir, true, err);
  if (dir < 0) return dir;
  const char *word = end_is_success(end) ? "success\n" : "failure\n";
  r = write_file_atomic_at(dir, STARTED_DONE, word, strlen(word), 0600);
  if (r < 0) return err_set(err, -r, "write", STARTED_DONE);
  return stop_sidecars(run, pod, err);
}
