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

static void test_messages(void) {
  static const char *const args[] = {"org.freedesktop.systemd1.Service", "NRestarts"};
  unsigned char call[512];
  int len = manager_call(call, sizeof call, 7, "org.freedesktop.systemd1", "/a", "org.freedesktop.DBus.Properties", "Get", args, 2);
  EXPECT(len > 0 && call[0] == 'l' && call[1] == 1 && call[8] == 7);
  /* body: 4+33, padded to 40, 4+10 */
  EXPECT(call[4] == 54 && (size_t)len % 2 == 0);
  EXPECT(!strcmp((char *)call + len - 10, "NRestarts"));
  EXPECT(manager_call(call, 100, 7, "org.freedesktop.systemd1", "/a", "org.freedesktop.DBus.Properties", "Get", args, 2) == -E2BIG);

  /* What systemd 252 answered: serial 1, reply to 2, signature v, value 3. */
  unsigned char reply[] = {'l', 2, 1, 1, 8,   0, 0, 0,   1, 0, 0, 0,   15, 0, 0, 0, 5, 1, 'u', 0,   2,   0,
                           0,   0, 8, 1, 'g', 0, 1, 'v', 0, 0, 1, 'u', 0,  0, 3, 0, 0, 0, 'n', 'e', 'x', 't'};
  unsigned type = 0;
  uint32_t to = 0, value = 0;
  bool has = false;
  EXPECT(manager_reply(reply, sizeof reply, &type, &to, &has, &value) == 40);
  EXPECT(type == 2 && to == 2 && has && value == 3);
  for (size_t n = 0; n < 40; n++) EXPECT(manager_reply(reply, n, &type, &to, &has, &value) == 0);
  reply[7] = 0xff; /* a body of 4 GB */
  EXPECT(manager_reply(reply, sizeof reply, &type, &to, &has, &value) == -EBADMSG);
  reply[0] = 'B';
  EXPECT(manager_reply(reply, sizeof reply, &type, &to, &has, &value) == -EBADMSG);
  /* Fields whose lengths lie. */
  unsigned char lies[64] = {'l', 2, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 40, 0, 0, 0, 5, 1, 's', 0, 0xff, 0xff, 0xff, 0xff};
  EXPECT(manager_reply(lies, sizeof lies, &type, &to, &has, &value) == 56 && to == 0);
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
  test_messages();
  test_no_manager();
  return expect_end("backoff");
}
