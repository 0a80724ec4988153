/* A file of variables in a volume, as a container wrote it: KEY NUL TEXT. */
#include "lib/fileenv.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_free char *key = fuzz_part(&data, &size), *text = fuzz_part(&data, &size);
  char *value = NULL;
  unsigned line = 0;
  int r = fileenv_find(text, key, &value, &line);
  PROMISE(r == 1 ? value && strlen(value) <= strlen(text) : !value);
  PROMISE(r != -EINVAL || (line >= 1 && line <= strlen(text) + 1));
  free(value);
  return 0;
}
