/* Which ends of a container are for good, by its policy and its exit codes. */
#include "lib/end.h"

#include "expect.h"

static const struct end good = {"success", "exited", "0"}, bad = {"exit-code", "exited", "42"}, killed = {"signal", "killed", "KILL"},
                        term = {"success", "killed", "TERM"}, none = {"exit-code", "", ""}, oom = {"oom-kill", "killed", "KILL"};

static bool is_final(enum end_restart restart, const char *codes, const struct end *end) {
  const struct end_policy policy = {.restart = restart, .codes = codes};
  return end_is_final(&policy, end);
}

static void test_policies(void) {
  const struct end *const all[] = {&good, &bad, &killed, &term, &none, &oom};
  for (size_t i = 0; i < N_ELEMENTS(all); i++) {
    EXPECT(!is_final(END_ALWAYS, NULL, all[i]));
    EXPECT(is_final(END_NEVER, NULL, all[i]));
    EXPECT(is_final(END_ON_FAILURE, NULL, all[i]) == (all[i] == &good));
    EXPECT(end_is_success(all[i]) == (all[i] == &good));
  }
}

static void test_codes(void) {
  EXPECT(!is_final(END_NEVER, "42", &bad) && !is_final(END_NEVER, "1-41,42-43", &bad) && is_final(END_NEVER, "1-41,43-255", &bad));
  EXPECT(!is_final(END_NEVER, "137", &killed) && !is_final(END_NEVER, "137", &oom) && is_final(END_NEVER, "143", &killed));
  EXPECT(!is_final(END_NEVER, "143", &term) && !is_final(END_ON_FAILURE, "0", &good) && is_final(END_NEVER, "0-255", &none));
  static const char *const wrong[] = {"", "-", "1-", "1,", ",1", "256", "9-1", "a", "1 2", "-1", "1--2", "1-a", "0000"};
  for (size_t i = 0; i < N_ELEMENTS(wrong); i++) EXPECT(!end_codes_ok(wrong[i]));
  EXPECT(end_codes_ok("0") && end_codes_ok("1-255") && end_codes_ok("1,3-5,7") && end_codes_ok(NULL));
}

static void test_inits(void) {
  const struct end_policy policy = {.restart = END_NEVER, .codes = "42", .init = true};
  EXPECT(end_is_final(&policy, &good) && !end_is_final(&policy, &bad) && end_is_final(&policy, &killed));
}

static void test_settle(void) {
  struct err err;
  const struct end_policy policy = {.restart = END_NEVER};
  EXPECT(end_settle(-1, "web/app", &policy, &good, &err) == -EINVAL);
  EXPECT(end_settle(-1, "pods/app", &policy, &good, &err) == -EINVAL);
}

int main(void) {
  test_policies();
  test_codes();
  test_inits();
  test_settle();
  return expect_end("end");
}
