/* CronJobs: when they are due, in several time zones, and what is then done. */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "expect.h"
#include "lib/cronstate.h"
#include "lib/durable.h"

#define EVERY_MINUTE ((UINT64_C(1) << 60) - 1)
enum { EVERY_HOUR = 0xffffff, EVERY_MONTH = 0x1ffe, EVERY_WEEKDAY = 0x7f };
#define EVERY_DAY 0xfffffffeu

static void zone(const char *name) {
  setenv("TZ", name, 1);
  tzset();
}

/* "2027-03-28 02:30" of UTC. */
static int64_t utc(const char *text) {
  struct tm tm = {0};
  return strptime(text, "%Y-%m-%d %H:%M", &tm) ? timegm(&tm) : -1;
}

static struct cron_when at(unsigned hour, unsigned minute) {
  return (struct cron_when){UINT64_C(1) << minute, 1u << hour, EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY, false};
}

static void test_times(void) {
  const struct cron_when daily = at(3, 30), always = {EVERY_MINUTE, EVERY_HOUR, EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY, false};
  struct cron_when leap = at(0, 0), friday13 = at(0, 0);
  leap.days = 1u << 29;
  leap.months = 1u << 2;
  friday13.days = 1u << 13;
  friday13.weekdays = 1u << 5;
  friday13.either = true;
  struct cron_when both = friday13;
  both.either = false;
  const struct {
    const struct cron_when *when;
    const char *after, *now, *want;
  } table[] = {
      {&daily, "2026-05-01 00:00", "2026-05-04 12:00", "2026-05-04 03:30"},
      {&daily, "2026-05-01 00:00", "2026-05-04 03:30", "2026-05-04 03:30"},
      {&daily, "2026-05-01 00:00", "2026-05-04 03:29", "2026-05-03 03:30"},
      {&daily, "2026-05-04 03:30", "2026-05-05 03:29", NULL},
      {&daily, "2026-05-04 03:29", "2026-05-05 03:29", "2026-05-04 03:30"},
      {&daily, "2026-05-04 03:31", "2026-05-04 03:31", NULL},
      {&daily, "2026-05-04 03:31", "2026-05-04 03:00", NULL}, /* the clock was put back */
      {&always, "2026-05-04 03:31", "2026-05-04 03:32", "2026-05-04 03:32"},
      {&leap, "2024-02-29 00:00", "2028-02-28 23:59", NULL},
      {&leap, "2024-02-28 00:00", "2031-12-31 00:00", "2028-02-29 00:00"},
      {&friday13, "2026-01-01 00:00", "2026-11-19 12:00", "2026-11-13 00:00"},
      {&friday13, "2026-01-01 00:00", "2026-11-20 12:00", "2026-11-20 00:00"},
      {&both, "2026-01-01 00:00", "2026-11-12 12:00", "2026-03-13 00:00"},
      {&both, "2026-03-13 00:00", "2026-11-12 12:00", NULL},
  };
  zone("UTC");
  for (size_t i = 0; i < N_ELEMENTS(table); i++) {
    const int64_t got = cron_latest(table[i].when, utc(table[i].after), utc(table[i].now));
    const int64_t want = table[i].want ? utc(table[i].want) : 0;
    if (got != want) fprintf(stderr, "row %zu: %lld\n", i, (long long)got);
    EXPECT(got == want);
  }
  /* In the middle of a minute, and before the epoch's first. */
  EXPECT(cron_latest(&always, 120, 185) == 180 && cron_latest(&always, 180, 185) == 0);
  EXPECT(cron_latest(&always, 0, 59) == 0);
}

/* Berlin: 2027-03-28 has no 02:xx, 2027-10-31 has it twice (00:xx and 01:xx UTC). */
static void test_clock_changes(void) {
  const struct cron_when night = at(2, 30), late = at(23, 50);
  struct cron_when hourly = at(0, 30);
  hourly.hours = EVERY_HOUR;
  zone("Europe/Berlin");
  EXPECT(cron_latest(&night, utc("2027-03-27 12:00"), utc("2027-03-28 23:00")) == 0);
  EXPECT(cron_latest(&night, utc("2027-03-26 12:00"), utc("2027-03-28 23:00")) == utc("2027-03-27 01:30"));
  EXPECT(cron_latest(&night, utc("2027-10-30 12:00"), utc("2027-10-31 12:00")) == utc("2027-10-31 00:30"));
  EXPECT(cron_latest(&night, utc("2027-10-31 00:30"), utc("2027-10-31 12:00")) == 0);
  EXPECT(cron_latest(&hourly, utc("2027-10-31 00:30"), utc("2027-10-31 01:40")) == utc("2027-10-31 01:30"));
  /* Looked for from a day of 23 and of 25 hours. */
  EXPECT(cron_latest(&late, utc("2027-03-20 12:00"), utc("2027-03-28 12:00")) == utc("2027-03-27 22:50"));
  EXPECT(cron_latest(&late, utc("2027-10-20 12:00"), utc("2027-10-31 12:00")) == utc("2027-10-30 21:50"));
  /* Half an hour back, at 02:00: 01:45 is there twice. */
  zone("Australia/Lord_Howe");
  const struct cron_when early = at(1, 45);
  EXPECT(cron_latest(&early, utc("2027-04-02 20:00"), utc("2027-04-03 20:00")) == utc("2027-04-03 14:45"));
  EXPECT(cron_latest(&early, utc("2027-04-03 14:45"), utc("2027-04-03 20:00")) == 0);
  zone("Asia/Kathmandu");
  const struct cron_when noon = at(12, 0);
  EXPECT(cron_latest(&noon, utc("2027-01-01 00:00"), utc("2027-01-01 12:00")) == utc("2027-01-01 06:15"));
}

static void test_choices(void) {
  static const bool none[] = {false, false}, one[] = {true, false}, all[] = {true, true};
  const struct {
    enum cron_policy policy;
    bool suspended, by_hand;
    int64_t due, deadline;
    const bool *busy;
    size_t n;
    enum cron_what what;
    size_t slot;
  } table[] = {
      {CRON_ALLOW, false, false, 0, -1, none, 2, CRON_NOTHING, 0},   {CRON_ALLOW, false, false, 900, -1, none, 2, CRON_START, 0},
      {CRON_ALLOW, false, false, 900, -1, one, 2, CRON_START, 1},    {CRON_ALLOW, false, false, 900, -1, all, 2, CRON_FULL, 0},
      {CRON_ALLOW, false, false, 900, 100, none, 2, CRON_START, 0},  {CRON_ALLOW, false, false, 900, 99, none, 2, CRON_MISSED, 0},
      {CRON_ALLOW, false, false, 1000, 0, none, 2, CRON_START, 0},   {CRON_ALLOW, true, false, 900, -1, none, 2, CRON_NOTHING, 0},
      {CRON_ALLOW, true, true, 0, -1, none, 2, CRON_START, 0},       {CRON_ALLOW, false, true, 900, 1, one, 2, CRON_START, 1},
      {CRON_ALLOW, false, true, 0, -1, all, 2, CRON_FULL, 0},        {CRON_FORBID, false, false, 900, -1, none, 1, CRON_START, 0},
      {CRON_FORBID, false, false, 900, -1, all, 1, CRON_FULL, 0},    {CRON_FORBID, false, false, 900, 99, all, 1, CRON_MISSED, 0},
      {CRON_FORBID, false, false, 900, -1, one, 2, CRON_FULL, 0},    {CRON_FORBID, false, true, 0, -1, all, 1, CRON_FULL, 0},
      {CRON_REPLACE, false, false, 900, -1, none, 1, CRON_START, 0}, {CRON_REPLACE, false, false, 900, -1, all, 1, CRON_INSTEAD, 0},
      {CRON_REPLACE, false, false, 0, -1, all, 1, CRON_NOTHING, 0},  {CRON_REPLACE, false, false, 900, 99, all, 1, CRON_MISSED, 0},
      {CRON_REPLACE, true, false, 900, -1, all, 1, CRON_NOTHING, 0}, {CRON_REPLACE, false, true, 900, -1, all, 1, CRON_FULL, 0},
  };
  for (size_t i = 0; i < N_ELEMENTS(table); i++) {
    const struct cron_now now = {.policy = table[i].policy,
                                 .suspended = table[i].suspended,
                                 .by_hand = table[i].by_hand,
                                 .due = table[i].due,
                                 .deadline = table[i].deadline,
                                 .now = 1000,
                                 .busy = table[i].busy,
                                 .n = table[i].n};
    const struct cron_choice got = cron_choose(&now);
    if (got.what != table[i].what) fprintf(stderr, "row %zu: %d\n", i, got.what);
    EXPECT(got.what == table[i].what);
    if (got.what == CRON_START || got.what == CRON_INSTEAD) EXPECT(got.slot == table[i].slot);
  }
}

/* --- files --- */

static char base[] = "/tmp/test_cron.XXXXXX";

#define WHEN "\"minutes\":[0,30],\"hours\":[3],\"days\":[1,31],\"months\":[12],\"weekdays\":[0,6],\"either\":true,"
#define HEAD "{\"name\":\"n\",\"timer\":\"t.timer\",\"schedule\":\"0,30 3 1,31 12 0,6\",\"concurrencyPolicy\":\"Forbid\"," WHEN
#define PATHS "\"state\":\"%s/cron/n/state.json\",\"history\":\"%s/history/n\","
#define SLOT(i) "{\"job\":\"n-r" i "\",\"unit\":\"podgen-job-n-r" i ".service\",\"file\":\"/f\",\"state\":\"%s/n-r" i ".json\"}"

static int parse(const char *format, struct cron_spec *ret, struct err *err) {
  char text[4096];
  /* More than a format may take is passed over. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text, sizeof text, format, base, base, base, base);
#pragma GCC diagnostic pop
  return cron_spec_parse(text, strlen(text), ret, err);
}

static void test_spec(void) {
  struct cron_spec s;
  struct err err;
  EXPECT(parse(HEAD PATHS "\"suspend\":true,\"startingDeadlineSeconds\":60,\"runs\":[" SLOT("0") "," SLOT("1") "]}", &s, &err) == 0);
  EXPECT(s.policy == CRON_FORBID && s.suspended && s.deadline == 60 && s.ttl == -1 && s.keep[0] == 1 && s.keep[1] == 3 && s.n == 2);
  EXPECT(s.when.minutes == (1 | 1 << 30) && s.when.hours == 8 && s.when.days == (2 | 1u << 31) && s.when.months == 1 << 12);
  EXPECT(s.when.weekdays == 0x41 && s.when.either && !strcmp(s.slots[1].job, "n-r1") && !strcmp(s.zone, ""));
  s.zone = "Europe/Nowhere";
  EXPECT(cron_spec_zone(&s, &err) == -ENOENT);
  s.zone = "Europe/Berlin";
  EXPECT(cron_spec_zone(&s, &err) == 0 && !strcmp(getenv("TZ"), "Europe/Berlin"));
  cron_spec_free(&s);
  static const char *const bad[] = {
      "",
      "[]",
      HEAD PATHS "\"runs\":[]}",
      HEAD PATHS "\"runs\":[{}]}",
      HEAD PATHS "\"x\":1}",
      HEAD "\"state\":\"relative\",\"history\":\"/h\",\"runs\":[" SLOT("0") "]}",
      HEAD PATHS "\"startingDeadlineSeconds\":-1,\"runs\":[" SLOT("0") "]}",
      HEAD PATHS "\"runs\":[{\"job\":\"../x\",\"unit\":\"u\",\"file\":\"/f\",\"state\":\"/s\"}]}",
      "{\"name\":\"n\",\"timer\":\"t.timer\",\"schedule\":\"\",\"concurrencyPolicy\":\"Never\"," WHEN PATHS "\"runs\":[" SLOT("0") "]}",
      "{\"name\":\"n\",\"timer\":\"t.timer\",\"schedule\":\"\",\"concurrencyPolicy\":\"Allow\",\"minutes\":[60]}",
      "{\"name\":\"n\",\"timer\":\"t.timer\",\"schedule\":\"\",\"concurrencyPolicy\":\"Allow\",\"minutes\":[]}",
      "{\"name\":\"n\",\"timer\":\"t.timer\",\"schedule\":\"\",\"concurrencyPolicy\":\"Allow\",\"minutes\":[0],\"hours\":[-1]}",
  };
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(parse(bad[i], &s, &err) < 0);
}

static void put(const char *name, const char *text) {
  cleanup_free char *path = xformat("%s/%s", base, name);
  EXPECT(durable_write(path, text, strlen(text), 0600) == 0);
}

static bool there(const char *name) {
  cleanup_free char *path = xformat("%s/%s", base, name);
  return access(path, F_OK) == 0;
}

static void test_state(struct cron_spec *s) {
  struct cron_state state;
  struct err err;
  bool fresh = false;
  cron_state_read(s, 1000, &state, &fresh);
  EXPECT(fresh && state.last == 1000 && state.ran == 0 && !state.starting[0]);
  state = (struct cron_state){.last = 900, .ran = 800, .starting = "n-r0"};
  EXPECT(cron_state_write(s, &state, &err) == 0);
  struct stat st;
  EXPECT(stat(s->state, &st) == 0 && (st.st_mode & 07777) == 0600);
  cron_state_read(s, 1000, &state, &fresh);
  EXPECT(!fresh && state.last == 900 && state.ran == 800 && !strcmp(state.starting, "n-r0"));
  /* Of a schedule that was changed, or moved to another zone, nothing was missed; nor of a clock that was years ahead. */
  const char *schedule = s->schedule;
  s->schedule = "* * * * *";
  cron_state_read(s, 1000, &state, &fresh);
  EXPECT(fresh && state.last == 1000);
  s->schedule = schedule;
  s->zone = "UTC";
  cron_state_read(s, 1000, &state, &fresh);
  EXPECT(fresh);
  s->zone = "";
  cron_state_read(s, 900 - 25 * 3600, &state, &fresh);
  EXPECT(fresh && state.last == 900 - 25 * 3600);
  cron_state_read(s, 899, &state, &fresh);
  EXPECT(!fresh && state.last == 900);
  put("cron/n/state.json", "{\"version\":1,\"sched");
  cron_state_read(s, 1000, &state, &fresh);
  EXPECT(fresh);
}

static void test_history(struct cron_spec *s) {
  struct err err;
  int64_t ended;
  EXPECT(cron_phase_read(AT_FDCWD, s->slots[0].state, &ended) == CRON_ABSENT && ended == 0);
  EXPECT(cron_history_take(s, &s->slots[0], &err) == 0 && cron_history_cut(s, 1000, &err) == 0);
  put("n-r0.json", "{\"phase\":\"running\",\"finishedAt\":0}");
  EXPECT(cron_phase_read(AT_FDCWD, s->slots[0].state, &ended) == CRON_GOING && ended == 0);
  EXPECT(cron_history_take(s, &s->slots[0], &err) == 0 && !there("n-r0.json") && !there("history/n"));
  for (int i = 1; i <= 5; i++) {
    cleanup_free char *text = xformat("{\"phase\":\"%s\",\"finishedAt\":%d}", i % 2 ? "complete" : "failed", 100 * i);
    put("n-r0.json", text);
    EXPECT(cron_history_take(s, &s->slots[0], &err) == 0 && !there("n-r0.json"));
  }
  put("history/n/notes", "a person's");
  /* 500, 300 and 100 have succeeded, 400 and 200 failed; and one more in its slot. */
  put("n-r1.json", "{\"phase\":\"complete\",\"finishedAt\":600}");
  EXPECT(cron_history_cut(s, 1000, &err) == 0);
  EXPECT(there("n-r1.json") && there("history/n/500-n-r0.json") && there("history/n/300-n-r0.json") && !there("history/n/100-n-r0.json"));
  EXPECT(there("history/n/400-n-r0.json") && !there("history/n/200-n-r0.json") && there("history/n/notes"));
  s->keep[1] = 0;
  EXPECT(cron_history_cut(s, 1000, &err) == 0 && !there("n-r1.json") && !there("history/n/500-n-r0.json") &&
         there("history/n/400-n-r0.json"));
  s->ttl = 600;
  EXPECT(cron_history_cut(s, 999, &err) == 0 && there("history/n/400-n-r0.json"));
  EXPECT(cron_history_cut(s, 1000, &err) == 0 && !there("history/n/400-n-r0.json"));
}

static void test_files(void) {
  struct cron_spec s;
  struct err err;
  EXPECT(mkdtemp(base) && parse(HEAD PATHS "\"runs\":[" SLOT("0") "," SLOT("1") "]}", &s, &err) == 0);
  test_state(&s);
  test_history(&s);
  cron_spec_free(&s);
  cleanup_free char *clean = xformat("rm -rf %s", base);
  EXPECT(system(clean) == 0);
}

int main(void) {
  test_spec();
  test_times();
  test_clock_changes();
  test_choices();
  test_files();
  return expect_end("cron");
}
