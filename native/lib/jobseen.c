/* A Job's slots: see jobseen.h. */
#include "jobseen.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/inotify.h>
#include <sys/wait.h>

#include "end.h"
#include "mains.h"
#include "manager.h"
#include "proc.h"
#include "started.h"

enum { FILE_MAX = 64 * 1024 };

/* --- files of run folders --- */

static int open_container(int run, const struct job_slot *slot, const char *container) {
  struct err ignored;
  cleanup_free char *folder = xformat("pods/%s/%s", slot->pod, container);
  return folder ? run_open_at(run, folder, false, &ignored) : -ENOMEM;
}

/* How it last ended, as an exit code; -2: it has not. */
enum { NOT_ENDED = -2 };

static int last_end(int dir) {
  char *text = NULL;
  size_t len = 0;
  struct end end = {0};
  if (dir < 0 || read_file_at(dir, "ended.json", FILE_MAX, &text, &len) < 0) return NOT_ENDED;
  json_t *root = json_loadb(text, len, 0, NULL);
  const bool good = root && json_unpack(root, "{s:s, s:s, s:s}", "result", &end.result, "code", &end.code, "status", &end.status) == 0;
  /* What a probe has ended is a failure, whatever it says itself. */
  int code = !good ? -1 : end_is_success(&end) ? 0 : end_exit_code(&end);
  if (good && code == 0 && !end_is_success(&end)) code = -1;
  json_decref(root);
  free(text);
  return code;
}

/* The mark of a final end: +1 success, -1 failure, 0 none. */
static int done_mark(int dir) {
  char *text = NULL;
  if (dir < 0 || read_file_at(dir, STARTED_DONE, FILE_MAX, &text, NULL) < 0) return 0;
  const int mark = !strcmp(text, "success\n") ? 1 : -1;
  free(text);
  return mark;
}

static void add_end(struct job_seen *seen, const char *container, int code) {
  struct job_end *ends = (struct job_end *)seen->ends;
  ends[seen->n_ends++] = (struct job_end){.container = container, .code = code};
}

/* DeadlineExceeded, of the pod's own activeDeadlineSeconds. */
static bool ended_by_podrt(int run, const struct job_slot *slot) {
  struct err ignored;
  cleanup_free char *folder = xformat("pods/%s", slot->pod);
  cleanup_fd int dir = folder ? run_open_at(run, folder, false, &ignored) : -1;
  return dir >= 0 && faccessat(dir, MAINS_FAILED, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* --- looking --- */

/* Whether all that counts has ended for good: marks that a stop from outside does not leave. */
static void look_ends(int run, const struct job_slot *slot, struct job_seen *ret) {
  size_t mains = 0, done = 0, failed = 0;
  for (size_t i = 0; i < slot->n_containers; i++) {
    const struct job_container *c = &slot->containers[i];
    if (c->init || c->sidecar) continue;
    cleanup_fd int dir = open_container(run, slot, c->name);
    const int mark = done_mark(dir);
    mains++;
    done += mark != 0;
    if (mark < 0) {
      failed++;
      add_end(ret, c->name, last_end(dir));
    }
  }
  ret->state = done < mains ? JOB_SLOT_UP : failed ? JOB_SLOT_FAILED : JOB_SLOT_SUCCEEDED;
  if (ret->state != JOB_SLOT_FAILED) ret->n_ends = 0;
}

/*
 * Of one whose unit is down: it has failed when podrt has stopped it, for its deadline or an init container's end, and when the unit has;
 * it may also have been over before it was stopped.
 */
static void look_down(int run, const struct job_slot *slot, bool unit_failed, struct job_seen *ret) {
  look_ends(run, slot, ret);
  if (ret->state != JOB_SLOT_UP) return;
  ret->state = JOB_SLOT_DOWN;
  if (ended_by_podrt(run, slot)) {
    ret->state = JOB_SLOT_FAILED;
    ret->why = "DeadlineExceeded";
    return;
  }
  for (size_t i = 0; i < slot->n_containers; i++) {
    if (!slot->containers[i].init) continue;
    cleanup_fd int dir = open_container(run, slot, slot->containers[i].name);
    const int code = last_end(dir);
    if (code == 0 || code == NOT_ENDED) continue;
    ret->state = JOB_SLOT_FAILED;
    add_end(ret, slot->containers[i].name, code);
  }
  if (unit_failed) ret->state = JOB_SLOT_FAILED;
}

static int64_t restarts_of(const struct job_slot *slot) {
  int64_t sum = 0;
  for (size_t i = 0; i < slot->n_containers; i++) {
    unsigned n = 0;
    if (!slot->containers[i].sidecar && manager_restarts(slot->containers[i].unit, &n) == 0) sum += n;
  }
  return sum;
}

int job_look(int run, const struct job_spec *spec, size_t i, bool up, struct job_seen *ret, struct err *err) {
  const struct job_slot *slot = &spec->slots[i];
  char state[MANAGER_STATE_MAX], job[MANAGER_STATE_MAX];
  *ret = (struct job_seen){.ends = calloc(slot->n_containers, sizeof(struct job_end))};
  int r = ret->ends ? manager_job(slot->unit, job) : -ENOMEM;
  if (r == 0) r = manager_state(slot->unit, state);
  if (r < 0) return err_set(err, -r, "manager", "%s", slot->unit);
  const bool starting = !strcmp(job, "start") || !strcmp(job, "restart"), stopping = !strcmp(job, "stop");
  if (stopping || !strcmp(state, "deactivating"))
    ret->state = JOB_SLOT_STOPPING;
  else if (starting || !strcmp(state, "active") || !strcmp(state, "activating") || !strcmp(state, "reloading"))
    look_ends(run, slot, ret);
  else if (up)
    look_down(run, slot, !strcmp(state, "failed"), ret);
  ret->starting = ret->state == JOB_SLOT_UP && strcmp(state, "active") != 0;
  if (ret->state == JOB_SLOT_UP && up && !spec->never) ret->restarts = restarts_of(slot);
  return 0;
}

void job_seen_free(struct job_seen *seen) {
  free((void *)seen->ends);
  *seen = (struct job_seen){0};
}

void job_watch(int inotify, int run, const struct job_slot *slot) {
  struct err ignored;
  for (size_t i = 0; i <= slot->n_containers; i++) {
    cleanup_free char *folder =
        i < slot->n_containers ? xformat("pods/%s/%s", slot->pod, slot->containers[i].name) : xformat("pods/%s", slot->pod);
    cleanup_fd int dir = folder ? run_open_at(run, folder, true, &ignored) : -1;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    if (dir >= 0) (void)inotify_add_watch(inotify, path, IN_CREATE | IN_MOVED_TO | IN_DELETE);
  }
}

/* --- acting --- */

/* By podrt rmtree, in a process of its own: files of subordinate ids are the user namespace's, which we do not enter. */
int job_clear(const struct job_slot *slot, struct err *err) {
  if (!slot->n_folders) return 0;
  const char **words = calloc(slot->n_folders + 4, sizeof *words);
  if (!words) return err_set(err, ENOMEM, "clear", "%s", slot->pod);
  words[0] = "podrt";
  words[1] = "rmtree";
  words[2] = "--";
  memcpy(words + 3, slot->folders, slot->n_folders * sizeof *words);
  pid_t pid = fork();
  if (pid == 0) {
    execv("/proc/self/exe", (char **)words);
    _exit(127);
  }
  free(words);
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) < 0) return err_set(err, errno, "clear", "%s", slot->pod);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0
             ? 0
             : (err_set(err, 0, "clear", "pod %s: what its last run has left stays", slot->pod), -EIO);
}

int job_start(const struct job_slot *slot, struct err *err) {
  int r = job_clear(slot, err);
  if (r < 0) return r;
  r = manager_start(slot->unit);
  return r < 0 ? err_set(err, -r, "start", "%s", slot->unit) : 0;
}

int job_stop(const struct job_slot *slot, struct err *err) {
  int r = manager_stop(slot->unit);
  return r < 0 ? err_set(err, -r, "stop", "%s", slot->unit) : 0;
}
