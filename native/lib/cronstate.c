/* A CronJob's own memory, and a look at its Jobs': see cronstate.h. */
#include "cronstate.h"

#include <fcntl.h>

#include "durable.h"

enum { FILE_MAX = 1 << 20, DAY = 24 * 3600 };

/* A schedule in another zone is another one. */
static char *schedule_of(const struct cron_spec *spec) {
  return xformat("%s %s", spec->schedule, spec->zone);
}

static bool parse(const char *text, size_t len, const char *schedule, int64_t now, struct cron_state *ret) {
  json_t *root = json_load(text, len, &(json_error_t){0});
  json_int_t last = 0, ran = 0;
  const char *of = NULL, *starting = "";
  bool ok = root && json_unpack(root, "{s:s, s:I, s:I, s?s}", "schedule", &of, "last", &last, "ran", &ran, "starting", &starting) == 0;
  /* A clock that was wrong must not stop it for years. */
  ok = ok && !strcmp(of, schedule) && last >= 0 && last <= now + DAY;
  if (ok) *ret = (struct cron_state){.last = last, .ran = ran};
  if (ok) snprintf(ret->starting, sizeof ret->starting, "%s", starting);
  json_decref(root);
  return ok;
}

void cron_state_read(const struct cron_spec *spec, int64_t now, struct cron_state *ret, bool *ret_fresh) {
  cleanup_free char *text = NULL, *schedule = schedule_of(spec);
  size_t len = 0;
  *ret_fresh = !schedule || read_file_at(AT_FDCWD, spec->state, FILE_MAX, &text, &len) < 0 || !parse(text, len, schedule, now, ret);
  if (*ret_fresh) *ret = (struct cron_state){.last = now};
}

int cron_state_write(const struct cron_spec *spec, const struct cron_state *state, struct err *err) {
  cleanup_free char *schedule = schedule_of(spec);
  json_t *root = schedule ? json_pack("{s:i, s:s, s:I, s:I, s:s}", "version", 1, "schedule", schedule, "last", (json_int_t)state->last,
                                      "ran", (json_int_t)state->ran, "starting", state->starting)
                          : NULL;
  cleanup_free char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
  json_decref(root);
  if (!text) return err_set(err, ENOMEM, "write", "%s", spec->state);
  int r = durable_write(spec->state, text, strlen(text), 0600);
  return r < 0 ? err_set(err, -r, "write", "%s", spec->state) : 0;
}

enum cron_phase cron_phase_read(int dirfd, const char *path, int64_t *ret_ended) {
  static const struct {
    const char *word;
    enum cron_phase phase;
  } words[] = {
      {"running", CRON_GOING}, {"suspended", CRON_GOING}, {"complete", CRON_COMPLETE}, {"failed", CRON_FAILED}, {"expired", CRON_EXPIRED}};
  cleanup_free char *text = NULL;
  size_t len;
  json_int_t ended = 0;
  const char *word = "";
  enum cron_phase phase = CRON_ABSENT;
  *ret_ended = 0;
  if (read_file_at(dirfd, path, FILE_MAX, &text, &len) < 0) return phase;
  json_t *root = json_load(text, len, &(json_error_t){0});
  if (root && json_unpack(root, "{s:s, s?I}", "phase", &word, "finishedAt", &ended) == 0)
    for (size_t i = 0; i < N_ELEMENTS(words); i++)
      if (!strcmp(word, words[i].word)) phase = words[i].phase;
  json_decref(root);
  if (phase == CRON_COMPLETE || phase == CRON_FAILED) *ret_ended = ended;
  return phase;
}
