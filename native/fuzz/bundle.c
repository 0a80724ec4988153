/* A config.json of podgen's own. */
#include "lib/bundle.h"

#include "json_mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct bundle bundle;
  struct err err = {0};
  if (bundle_parse((const char *)data, size, "/b", &bundle, &err) < 0) {
    PROMISE(err.what[0] || err.code);
    return 0;
  }
  PROMISE(bundle.args && bundle.args[0] && bundle.cwd[0] == '/');
  bundle_free(&bundle);
  return 0;
}
