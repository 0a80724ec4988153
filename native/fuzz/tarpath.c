/* Names in a layer's archive. */
#include "lib/tarpath.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct tarpath_limits limits = {.name = PATH_MAX - 1, .depth = 256};
  char path[PATH_MAX], shown[64];
  struct err err = {0};
  cleanup_free char *name = fuzz_part(&data, &size);
  tarpath_show(name, shown, sizeof shown);
  for (const char *p = shown; *p; p++) PROMISE((unsigned char)*p >= ' ' && *p != 0x7f);
  int len = tarpath_clean(name, &limits, path, &err);
  if (len < 0) return 0;
  PROMISE((size_t)len == strlen(path) && path[0] != '/' && !strstr(path, "//"));
  PROMISE(strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0 && !strstr(path, "/../") &&
          (len < 3 || strcmp(path + len - 3, "/..") != 0));
  (void)tarpath_classify(path, &err);
  PROMISE(strcmp(path, "..") != 0 && strlen(path) <= (size_t)len);
  return 0;
}
