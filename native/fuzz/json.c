/* json_load against jansson itself: what that takes is the same tree, and numbers above its range are all that is more. */
#include "fuzz.h"
#include "lib/jsonload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  json_error_t where;
  json_t *ours = json_load((const char *)data, size, &where), *plain = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &where);
  PROMISE(!plain || (ours && json_equal(ours, plain)));
  uint64_t value;
  if (ours) (void)json_uint64(json_object_get(ours, "n"), &value);
  json_decref(ours);
  json_decref(plain);
  return 0;
}
