/* Numbers from the command line: see number.h. */
#include "number.h"

int number_parse(const char *text, bool units, uint64_t min, uint64_t max, uint64_t *ret) {
  static const char letters[] = "KMGT";
  uint64_t value = 0;
  const char *p = text;
  for (; *p >= '0' && *p <= '9'; p++)
    if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, (unsigned)(*p - '0'), &value)) return -EINVAL;
  const char *unit = units && *p ? strchr(letters, *p) : NULL;
  if (p == text || (*p && (!unit || p[1]))) return -EINVAL;
  if (unit && __builtin_mul_overflow(value, (uint64_t)1 << (10 * (unit - letters + 1)), &value)) return -EINVAL;
  if (value < min || value > max) return -EINVAL;
  *ret = value;
  return 0;
}
