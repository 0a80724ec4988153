/* Jobs: their files, and what they do next. */
#include <fcntl.h>
#include <sys/stat.h>

#include "expect.h"
#include "lib/jobdecide.h"
#include "lib/jobindexes.h"

/* --- a Job under test: time and slots are what the test says --- */

enum { SLOTS = 8 };

struct play {
  struct job_spec spec;
  struct job_state state;
  struct job_seen seen[SLOTS];
  struct job_end ends[SLOTS];
  bool start[SLOTS], stop[SLOTS];
  struct job_actions actions;
  int64_t now;
  bool first;
};

static void parse(struct play *p, size_t slots, const char *fields) {
  char text[8192];
  size_t n = (size_t)snprintf(text, sizeof text,
                              "{\"name\":\"j\",\"run\":\"r\",\"state\":\"/tmp/j.json\",\"restartPolicy\":\"Never\",%s\"slots\":[", fields);
  for (size_t i = 0; i < slots; i++)
    n += (size_t)snprintf(text + n, sizeof text - n,
                          "%s{\"pod\":\"j-%zu\",\"unit\":\"pod-j-%zu.service\",\"index\":%zu,\"folders\":[\"/"
                          "f\"],\"containers\":[{\"name\":\"main\",\"unit\":\"u\"}]}",
                          i ? "," : "", i, i, i);
  snprintf(text + n, sizeof text - n, "]}");
  struct err err = {0};
  *p = (struct play){.now = 1000};
  EXPECT(job_spec_parse(text, strlen(text), &p->spec, &err) == 0);
  if (err.what[0]) fprintf(stderr, "%s: %s\n", err.step, err.what);
  EXPECT(job_state_new(&p->spec, &p->state, &err) == 0);
  p->actions = (struct job_actions){.start = p->start, .stop = p->stop};
}

/* Decides again, as the controller does, until nothing is to be done: starts and stops come about at once. */
static void decide(struct play *p) {
  for (int turns = 0; turns < 20; turns++) {
    job_decide(&p->spec, &p->state, p->seen, p->first, p->now, &p->actions);
    p->first = false;
    bool acted = p->actions.changed;
    for (size_t i = 0; i < p->spec.n_slots; i++) {
      if (p->start[i]) p->seen[i] = (struct job_seen){.state = JOB_SLOT_UP};
      if (p->stop[i]) p->seen[i] = (struct job_seen){.state = JOB_SLOT_DOWN};
      acted = acted || p->start[i] || p->stop[i];
    }
    if (!acted) return;
  }
  EXPECT(!"it comes to rest");
}

static void succeed(struct play *p, size_t i) {
  EXPECT(p->seen[i].state == JOB_SLOT_UP);
  p->seen[i].state = JOB_SLOT_SUCCEEDED;
  decide(p);
}

static void fail(struct play *p, size_t i, int code) {
  EXPECT(p->seen[i].state == JOB_SLOT_UP);
  p->ends[i] = (struct job_end){.container = "main", .code = code};
  p->seen[i] = (struct job_seen){.state = JOB_SLOT_FAILED, .ends = &p->ends[i], .n_ends = 1};
  decide(p);
}

/* "0 2": those that are up. */
static const char *up(const struct play *p) {
  static char text[64];
  *text = 0;
  for (size_t i = 0; i < p->spec.n_slots; i++)
    if (p->seen[i].state == JOB_SLOT_UP) sprintf(text + strlen(text), "%s%zu", *text ? " " : "", i);
  return text;
}

static bool is(const struct play *p, enum job_phase phase, const char *reason) {
  return p->state.phase == phase && !strcmp(p->state.reason, reason);
}

static void end(struct play *p) {
  job_state_free(&p->state);
  job_spec_free(&p->spec);
}

/* --- */

static void test_completions(void) {
  struct play p;
  parse(&p, 2, "\"completions\":5,\"parallelism\":2,");
  decide(&p);
  EXPECT(!strcmp(up(&p), "0 1") && p.state.started_at == 1000);
  succeed(&p, 0);
  EXPECT(!strcmp(up(&p), "0 1") && p.state.runs[0].attempt == 2);
  succeed(&p, 1);
  succeed(&p, 1);
  EXPECT(p.state.succeeded == 3 && !strcmp(up(&p), "0 1"));
  succeed(&p, 0);
  EXPECT(p.state.succeeded == 4);
  size_t last = p.seen[0].state == JOB_SLOT_UP ? 0 : 1;
  EXPECT(strlen(up(&p)) == 1);
  succeed(&p, last);
  EXPECT(is(&p, JOB_COMPLETE, "CompletionsReached") && p.actions.over && !*up(&p) && p.actions.wake_at == JOB_NONE);
  end(&p);
}

static void test_work_queue(void) {
  struct play p;
  parse(&p, 3, "\"parallelism\":3,");
  decide(&p);
  EXPECT(!strcmp(up(&p), "0 1 2"));
  succeed(&p, 1);
  EXPECT(!strcmp(up(&p), "0 2") && p.state.phase == JOB_RUNNING);
  fail(&p, 0, 1);
  EXPECT(!strcmp(up(&p), "2") && p.actions.wake_at == JOB_NONE);
  succeed(&p, 2);
  EXPECT(is(&p, JOB_COMPLETE, "CompletionsReached"));
  end(&p);
}

static void test_backoff(void) {
  struct play p;
  static const int64_t seconds[] = {0, 10, 20, 40, 80, 160, 320, 360, 360};
  for (size_t i = 0; i < N_ELEMENTS(seconds); i++) EXPECT(job_backoff((int64_t)i) == seconds[i]);
  EXPECT(job_backoff(INT64_MAX) == 360);
  parse(&p, 1, "\"completions\":2,\"backoffLimit\":2,");
  decide(&p);
  fail(&p, 0, 1);
  EXPECT(!*up(&p) && p.actions.wake_at == 1010);
  p.now = 1009;
  decide(&p);
  EXPECT(!*up(&p));
  p.now = 1010;
  decide(&p);
  EXPECT(!strcmp(up(&p), "0"));
  fail(&p, 0, 1);
  EXPECT(p.actions.wake_at == 1030);
  p.now = 1030;
  decide(&p);
  succeed(&p, 0);
  EXPECT(!strcmp(up(&p), "0") && p.state.streak == 0);
  fail(&p, 0, 137);
  EXPECT(is(&p, JOB_FAILED, "BackoffLimitExceeded") && strstr(p.state.message, "exit code 137") && p.state.finished_at == 1030);
  end(&p);
}

static void test_restarts(void) {
  struct play p;
  parse(&p, 1, "\"completions\":1,\"backoffLimit\":3,");
  p.spec.never = false;
  decide(&p);
  p.seen[0].restarts = 2;
  decide(&p);
  EXPECT(p.state.phase == JOB_RUNNING);
  p.seen[0].restarts = 3;
  decide(&p);
  EXPECT(is(&p, JOB_FAILED, "BackoffLimitExceeded") && !*up(&p));
  end(&p);
}

static void test_indexed(void) {
  struct play p;
  parse(&p, 4, "\"indexed\":true,\"completions\":4,\"parallelism\":2,\"backoffLimit\":100,\"backoffLimitPerIndex\":1,");
  decide(&p);
  EXPECT(!strcmp(up(&p), "0 1"));
  succeed(&p, 1);
  EXPECT(!strcmp(up(&p), "0 2"));
  fail(&p, 0, 1);
  EXPECT(!strcmp(up(&p), "2 3") && p.actions.wake_at == JOB_NONE);
  succeed(&p, 2);
  EXPECT(!strcmp(up(&p), "3") && p.actions.wake_at == 1010);
  p.now = 1010;
  decide(&p);
  EXPECT(!strcmp(up(&p), "0 3"));
  fail(&p, 0, 1);
  EXPECT(p.state.given_up[0] && p.state.phase == JOB_RUNNING);
  succeed(&p, 3);
  EXPECT(is(&p, JOB_FAILED, "FailedIndexes"));
  end(&p);
  parse(&p, 3,
        "\"indexed\":true,\"completions\":3,\"parallelism\":3,\"backoffLimit\":100,\"backoffLimitPerIndex\":0,\"maxFailedIndexes\":1,");
  decide(&p);
  fail(&p, 0, 1);
  EXPECT(p.state.phase == JOB_RUNNING);
  fail(&p, 2, 1);
  EXPECT(is(&p, JOB_FAILED, "MaxFailedIndexesExceeded") && !*up(&p));
  end(&p);
}

static void test_failure_policy(void) {
  struct play p;
  const char *const rules =
      "\"completions\":1,\"backoffLimit\":0,\"podFailurePolicy\":["
      "{\"action\":\"FailJob\",\"container\":\"main\",\"operator\":\"In\",\"values\":[42]},"
      "{\"action\":\"FailJob\",\"container\":\"other\",\"operator\":\"NotIn\",\"values\":[1]},"
      "{\"action\":\"Ignore\",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":\"True\"}]},"
      "{\"action\":\"Ignore\",\"operator\":\"In\",\"values\":[5,6]}],";
  parse(&p, 1, rules);
  decide(&p);
  fail(&p, 0, 6);
  EXPECT(p.state.phase == JOB_RUNNING && p.state.failed == 0 && p.actions.wake_at == 1010);
  p.now = 1010;
  decide(&p);
  p.seen[0] = (struct job_seen){.state = JOB_SLOT_DOWN};
  decide(&p);
  EXPECT(p.state.phase == JOB_RUNNING && p.state.failed == 0 && p.actions.wake_at == 1030);
  p.now = 1030;
  decide(&p);
  fail(&p, 0, 42);
  EXPECT(is(&p, JOB_FAILED, "PodFailurePolicy") && strstr(p.state.message, "exit code 42"));
  end(&p);
  parse(&p, 1, rules);
  decide(&p);
  fail(&p, 0, 7);
  EXPECT(is(&p, JOB_FAILED, "BackoffLimitExceeded"));
  end(&p);
  parse(&p, 2,
        "\"indexed\":true,\"completions\":2,\"parallelism\":2,\"backoffLimit\":9,\"backoffLimitPerIndex\":9,\"podFailurePolicy\":"
        "[{\"action\":\"FailIndex\",\"operator\":\"NotIn\",\"values\":[1]}],");
  decide(&p);
  fail(&p, 1, 3);
  EXPECT(p.state.given_up[1] && p.state.phase == JOB_RUNNING && !strcmp(up(&p), "0"));
  end(&p);
  /* A condition that a pod does not have is not one with status False. */
  parse(&p, 1,
        "\"completions\":1,\"podFailurePolicy\":[{\"action\":\"FailJob\",\"conditions\":[{\"type\":\"DisruptionTarget\",\"status\":"
        "\"False\"}]}],");
  decide(&p);
  fail(&p, 0, 1);
  EXPECT(p.state.phase == JOB_RUNNING && p.state.failed == 1);
  end(&p);
}

static void test_success_policy(void) {
  struct play p;
  parse(&p, 4,
        "\"indexed\":true,\"completions\":4,\"parallelism\":4,\"successPolicy\":[{\"succeededIndexes\":\"0-1,3\",\"succeededCount\":2}],");
  decide(&p);
  succeed(&p, 2);
  succeed(&p, 0);
  EXPECT(p.state.phase == JOB_RUNNING);
  succeed(&p, 3);
  EXPECT(is(&p, JOB_COMPLETE, "SuccessPolicy") && !*up(&p) && p.actions.over);
  end(&p);
}

static void test_times(void) {
  struct play p;
  parse(&p, 1, "\"completions\":1,\"activeDeadlineSeconds\":60,\"ttlSecondsAfterFinished\":30,");
  decide(&p);
  EXPECT(p.actions.wake_at == 1060);
  p.now = 1060;
  decide(&p);
  EXPECT(is(&p, JOB_FAILED, "DeadlineExceeded") && !*up(&p) && !p.actions.over && p.actions.wake_at == 1090);
  p.now = 1090;
  decide(&p);
  EXPECT(p.state.phase == JOB_EXPIRED && p.actions.over);
  end(&p);
}

static void test_suspend(void) {
  struct play p;
  parse(&p, 2, "\"completions\":2,\"parallelism\":2,\"suspend\":true,\"activeDeadlineSeconds\":60,");
  decide(&p);
  EXPECT(p.state.phase == JOB_SUSPENDED && !*up(&p) && !p.actions.over && p.actions.wake_at == JOB_NONE);
  p.spec.suspend = false;
  p.now = 5000;
  decide(&p);
  EXPECT(!strcmp(up(&p), "0 1") && p.state.started_at == 5000 && p.state.phase == JOB_RUNNING);
  succeed(&p, 1);
  p.spec.suspend = true;
  decide(&p);
  EXPECT(!*up(&p) && p.state.succeeded == 1 && p.state.failed == 0);
  end(&p);
}

static void test_parallelism(void) {
  struct play p;
  parse(&p, 3, "\"completions\":9,\"parallelism\":3,");
  decide(&p);
  p.spec.parallelism = 1;
  decide(&p);
  EXPECT(!strcmp(up(&p), "0") && p.state.failed == 0);
  p.spec.parallelism = 0;
  decide(&p);
  EXPECT(!*up(&p) && p.state.phase == JOB_RUNNING);
  end(&p);
  parse(&p, 3, "\"parallelism\":3,");
  decide(&p);
  p.spec.parallelism = 1;
  decide(&p);
  EXPECT(!strcmp(up(&p), "0") && p.state.failed == 0);
  succeed(&p, 0);
  EXPECT(is(&p, JOB_COMPLETE, "CompletionsReached"));
  end(&p);
}

/* The controller was not there: it was killed, or the machine went down. */
static void test_absence(void) {
  struct play p;
  for (int never = 0; never < 2; never++) {
    parse(&p, 1, "\"completions\":1,\"backoffLimit\":0,");
    p.spec.never = never;
    decide(&p);
    p.seen[0] = (struct job_seen){.state = JOB_SLOT_DOWN};
    p.first = true;
    decide(&p);
    if (never)
      EXPECT(is(&p, JOB_FAILED, "BackoffLimitExceeded") && strstr(p.state.message, "from outside"));
    else
      EXPECT(!strcmp(up(&p), "0") && p.state.failed == 0);
    end(&p);
  }
  /* One that ended meanwhile has left its marks; one that nobody asked for any more is stopped. */
  parse(&p, 2, "\"completions\":1,\"parallelism\":1,");
  decide(&p);
  p.seen[0].state = JOB_SLOT_SUCCEEDED;
  p.seen[1].state = JOB_SLOT_UP;
  p.first = true;
  decide(&p);
  EXPECT(is(&p, JOB_COMPLETE, "CompletionsReached") && !*up(&p));
  end(&p);
}

static void test_indexes(void) {
  bool set[10] = {0};
  EXPECT(job_indexes_parse("0,3-5,9", set, 10) == 0 && job_indexes_count(set, 10) == 5);
  char *text = job_indexes_text(set, 10);
  EXPECT(text && !strcmp(text, "0,3-5,9"));
  free(text);
  static const char *const wrong[] = {"10", "a", "3-", "-3", "3,3", "5-4", "1,", ",1", "1 2", "99999999999999999999"};
  for (size_t i = 0; i < N_ELEMENTS(wrong); i++) EXPECT(job_indexes_parse(wrong[i], set, 10) == -EINVAL);
}

static void test_state(void) {
  struct play p;
  struct job_state again;
  struct err err;
  char folder[] = "/tmp/podrt-job-XXXXXX", path[64];
  parse(&p, 3, "\"indexed\":true,\"completions\":3,\"parallelism\":2,\"backoffLimitPerIndex\":0,\"backoffLimit\":9,");
  EXPECT(mkdtemp(folder) != NULL);
  snprintf(path, sizeof path, "%s/jobs/j.json", folder);
  p.spec.state = path;
  decide(&p);
  succeed(&p, 0);
  fail(&p, 1, 9);
  EXPECT(job_state_write(&p.spec, &p.state, &err) == 0);
  EXPECT(job_state_read(&p.spec, &again, &err) == 0);
  char *a = job_state_text(&p.spec, &p.state), *b = job_state_text(&p.spec, &again);
  EXPECT(a && b && !strcmp(a, b) && again.completed[0] && again.given_up[1] && again.runs[2].up);
  free(a);
  free(b);
  job_state_free(&again);
  p.spec.run = "another";
  EXPECT(job_state_read(&p.spec, &again, &err) == 0 && !again.started_at && !again.completed[0]);
  job_state_free(&again);
  cleanup_fd int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  EXPECT(write(fd, "{", 1) == 1 && job_state_read(&p.spec, &again, &err) == -EBADMSG);
  job_state_free(&again);
  unlink(path);
  *strrchr(path, '/') = 0;
  rmdir(path);
  rmdir(folder);
  end(&p);
}

static void test_bad_files(void) {
  static const char *const wrong[] = {
      "",
      "[]",
      "{}",
      "{\"name\":1}",
      "{\"name\":\"j\",\"run\":\"r\",\"state\":\"j\",\"restartPolicy\":\"Never\"}",
      "{\"name\":\"j\",\"run\":\"r\",\"state\":\"/j\",\"restartPolicy\":\"Always\"}",
      "{\"name\":\"j\",\"run\":\"r\",\"state\":\"/j\",\"restartPolicy\":\"Never\",\"parallelism\":-1}",
      "{\"name\":\"j\",\"run\":\"r\",\"state\":\"/j\",\"restartPolicy\":\"Never\",\"indexed\":true,\"completions\":1}",
      "{\"name\":\"j\",\"run\":\"r\",\"state\":\"/j\",\"restartPolicy\":\"Never\",\"podFailurePolicy\":[{\"action\":\"No\"}]}",
      "{\"name\":\"j\",\"run\":\"r\",\"state\":\"/j\",\"restartPolicy\":\"Never\",\"slots\":[{\"pod\":\"a/"
      "b\",\"unit\":\"u\",\"index\":0}]}"};
  for (size_t i = 0; i < N_ELEMENTS(wrong); i++) {
    struct job_spec spec;
    struct err err;
    EXPECT(job_spec_parse(wrong[i], strlen(wrong[i]), &spec, &err) < 0);
    job_spec_free(&spec);
  }
}

int main(void) {
  test_completions();
  test_work_queue();
  test_backoff();
  test_restarts();
  test_indexed();
  test_failure_policy();
  test_success_policy();
  test_times();
  test_suspend();
  test_parallelism();
  test_absence();
  test_indexes();
  test_state();
  test_bad_files();
  return expect_end("job");
}
