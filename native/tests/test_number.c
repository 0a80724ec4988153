/* Numbers of the command line: exact, no silent overflow. */
#include "lib/number.h"

#include "expect.h"

int main(void) {
  static const struct {
    const char *text;
    bool units;
    uint64_t want;
    bool good;
  } cases[] = {
      {"1", false, 1, true},
      {"65535", false, 65535, true},
      {"3K", true, 3072, true},
      {"2T", true, (uint64_t)2 << 40, true},
      {"0", false, 0, false},
      {"", true, 0, false},
      {"K", true, 0, false},
      {"1k", true, 0, false},
      {"3K", false, 0, false},
      {"-1", false, 0, false},
      {"+1", false, 0, false},
      {" 1", false, 0, false},
      {"1 ", true, 0, false},
      {"0x10", false, 0, false},
      {"1KK", true, 0, false},
      {"18446744073709551616", true, 0, false},
      {"18446744073709551615", true, 0, false} /* above max */,
      {"99999999T", true, 0, false},
  };
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    uint64_t got = 0;
    int r = number_parse(cases[i].text, cases[i].units, 1, (uint64_t)1 << 62, &got);
    EXPECT((r == 0) == cases[i].good);
    if (cases[i].good) EXPECT(got == cases[i].want);
  }
  return expect_end("number");
}
