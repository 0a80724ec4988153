/* Descriptors that the caller of an OCI runtime passes on: see passed.h. */
#include "passed.h"

#include <fcntl.h>

#include "lib/number.h"

enum { FIRST = 3, MANY = 1 << 16 };

int oci_passed(const char *option, unsigned *ret, const char **ret_listen, struct err *err) {
  uint64_t wanted = 0, listen = 0;
  const char *given = getenv("LISTEN_FDS");
  if (option && number_parse(option, false, 0, MANY, &wanted) < 0)
    return err_set(err, 0, "option", "--preserve-fds: expected a number, not %s", option);
  if (given && number_parse(given, false, 1, MANY, &listen) < 0) listen = 0;
  unsigned n = 0;
  while (n < wanted + listen && fcntl(FIRST + (int)n, F_GETFD) >= 0) n++;
  if (n < wanted) return err_set(err, EBADF, "preserve-fds", "descriptor %u is not open", FIRST + n);
  /* Somebody else's LISTEN_FDS, inherited with the environment. */
  const bool stale = n < listen;
  *ret = stale ? (unsigned)wanted : n;
  *ret_listen = listen && !stale ? given : NULL;
  return 0;
}
