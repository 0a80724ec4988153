/* Which kernels podrt takes. */
#include "expect.h"
#include "lib/machine.h"

static void test_kernel(void) {
  static const char *const good[] = {"5.12.0", "5.12", "5.15.0-91-generic", "6.1.0-13-amd64", "10.0"};
  static const char *const bad[] = {"5.11.22-generic", "5.8.0", "5.2", "4.18.0-553.el8", "3.99", "", "x"};
  for (size_t i = 0; i < N_ELEMENTS(good); i++) EXPECT(machine_kernel_fits(good[i]));
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(!machine_kernel_fits(bad[i]));
}

int main(void) {
  test_kernel();
  return expect_end("machine");
}
