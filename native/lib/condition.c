/* How far a pod is: see condition.h. */
#include "condition.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

#include "drain.h"
#include "mains.h"

static const char *const words[] = {"started", "ready", "completed"};

bool condition_parse(const char *word, enum condition *ret) {
  for (size_t i = 0; i < N_ELEMENTS(words); i++)
    if (!strcmp(word, words[i])) return *ret = (enum condition)i, true;
  return false;
}

const char *condition_word(enum condition condition) {
  return words[condition];
}

/* Whether the process that its state.json names lives. */
static bool is_alive(int dir) {
  struct err ignored;
  struct run_state state;
  if (run_state_read(dir, &state, &ignored) < 0) return false;
  cleanup_fd int pidfd = proc_open(&state.id);
  return pidfd >= 0;
}

static bool is_ready(int dir) {
  return faccessat(dir, "ready", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Seconds are too coarse for a container that ends at once; both files are written by renaming a new one. */
static bool is_newer(int dir, const char *name, const char *than) {
  struct stat a, b;
  if (fstatat(dir, name, &a, AT_SYMLINK_NOFOLLOW) < 0 || fstatat(dir, than, &b, AT_SYMLINK_NOFOLLOW) < 0) return false;
  return a.st_mtim.tv_sec != b.st_mtim.tv_sec ? a.st_mtim.tv_sec > b.st_mtim.tv_sec : a.st_mtim.tv_nsec >= b.st_mtim.tv_nsec;
}

/* Its present run is over, and was a success. */
static bool has_succeeded(int dir) {
  cleanup_free char *text = NULL;
  size_t len;
  if (!is_newer(dir, "ended.json", "state.json") || is_alive(dir)) return false;
  if (read_file_at(dir, "ended.json", 64 * 1024, &text, &len) < 0) return false;
  json_t *root = json_loadb(text, len, 0, NULL);
  const char *result = NULL, *code = NULL, *status = NULL;
  const bool good = root && json_unpack(root, "{s:s, s:s, s:s}", "result", &result, "code", &code, "status", &status) == 0 &&
                    !strcmp(result, "success") && !strcmp(code, "exited") && !strcmp(status, "0");
  json_decref(root);
  return good;
}

static bool is_there(int dir, enum condition condition) {
  switch (condition) {
    case CONDITION_STARTED:
      return is_ready(dir) || is_alive(dir) || has_succeeded(dir);
    case CONDITION_READY:
      return is_ready(dir) || has_succeeded(dir);
    case CONDITION_COMPLETED:
      return has_succeeded(dir);
  }
  return false;
}

enum pod_state condition_look(int run, const char *pod, enum condition condition, int *ret_watch) {
  struct err ignored;
  struct mains mains;
  *ret_watch = -1;
  cleanup_fd int dir = run_open_at(run, pod, true, &ignored);
  if (dir < 0) return POD_ABSENT;
  if (mains_read(dir, &mains) < 0) {
    /* Its units start side by side: infra may be there before the pod's own unit has named its containers. */
    cleanup_fd int infra = run_open_at(dir, "_infra", false, &ignored);
    const bool up = infra >= 0 && is_alive(infra);
    *ret_watch = steal_fd(&dir);
    return up ? POD_BEHIND : POD_ABSENT;
  }
  enum pod_state state = POD_THERE;
  /* Sidecars do not complete, and go when all others have. */
  const size_t n = condition == CONDITION_COMPLETED ? mains.n : mains.n + mains.n_sidecars;
  for (size_t i = 0; i < n && state == POD_THERE; i++) {
    cleanup_fd int container = run_open_at(dir, mains.names[i], true, &ignored);
    if (container >= 0 && is_there(container, condition)) continue;
    state = POD_BEHIND;
    *ret_watch = steal_fd(&container);
  }
  mains_free(&mains);
  return state;
}

bool condition_serves(int run, const char *pod, bool not_ready) {
  struct err ignored;
  struct mains mains;
  cleanup_fd int dir = run_open_at(run, pod, false, &ignored);
  cleanup_fd int infra = dir < 0 ? -1 : run_open_at(dir, "_infra", false, &ignored);
  if (infra < 0 || !is_alive(infra) || drain_is_on(infra)) return false;
  if (not_ready) return true;
  if (mains_read(dir, &mains) < 0) return false;
  bool all = mains.n > 0;
  for (size_t i = 0; i < mains.n + mains.n_sidecars && all; i++) {
    cleanup_fd int container = run_open_at(dir, mains.names[i], false, &ignored);
    all = container >= 0 && is_ready(container) && is_alive(container);
  }
  mains_free(&mains);
  return all;
}
