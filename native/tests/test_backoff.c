/* The restart back-off as a function, and the D-Bus messages by which it asks systemd. */
#include "lib/backoff.h"

#include "expect.h"
#include "lib/manager.h"

static void test_delays(void) {
  static const unsigned want[] = {0, 0, 10, 20, 40, 80, 160, 300, 300};
  for (unsigned i = 0; i < N_ELEMENTS(want); i++) EXPECT(backoff_delay(i) == want[i]);
  EXPECT(backoff_delay(1000000) == 300);
}

/* A container that ends at once each time: what it waits, start after start. */
static void test_crash_loop(void) {
  static const unsigned want[] = {0, 0, 10, 20, 40, 80, 160, 300, 300};
  struct backoff b = {0};
  int64_t now = 5000;
  for (size_t i = 0; i < N_ELEMENTS(want); i++) {
    b.count = backoff_next(i ? &b : NULL, now, false);
    EXPECT(backoff_delay(b.count) == want[i]);
    b.last = now + backoff_delay(b.count);
    now = b.last + 1;
  }
}

static void test_forgetting(void) {
  const struct backoff old = {.count = 5, .last = 10000};
  EXPECT(backoff_next(&old, 10001, false) == 6);
  EXPECT(backoff_next(&old, 10599, false) == 6);
  EXPECT(backoff_next(&old, 10600, false) == 0); /* ten minutes up */
  EXPECT(backoff_next(&old, 10001, true) == 0);  /* a person's start */
  EXPECT(backoff_next(&old, 9999, false) == 0);  /* another boot */
  EXPECT(backoff_next(NULL, 10001, false) == 0);
  EXPECT(backoff_recent(&old, 10001) && !backoff_recent(&old, 10600) && !backoff_recent(&old, 1));
}

static void test_paths(void) {
  char path[128];
  EXPECT(manager_unit_path("pod-web_app.service", path, sizeof path) == 0);
  EXPECT(!strcmp(path, "/org/freedesktop/systemd1/unit/pod_2dweb_5fapp_2eservice"));
  EXPECT(manager_unit_path("1a.service", path, sizeof path) == 0);
  EXPECT(!strcmp(path, "/org/freedesktop/systemd1/unit/_31a_2eservice"));
  EXPECT(manager_unit_path("pod-web_app.service", path, 40) == -ENAMETOOLONG);
  EXPECT(manager_unit_path("", path, sizeof path) < 0);
}

static void test_no_manager(void) {
  unsigned restarts = 9;
  setenv("XDG_RUNTIME_DIR", "/nowhere", 1);
  EXPECT(manager_restarts("a.service", &restarts) < 0 && restarts == 9);
}

int main(void) {
  test_delays();
  test_crash_loop();
  test_forgetting();
  test_paths();
  test_no_manager();
  return expect_end("backoff");
}
