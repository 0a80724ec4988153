/* What systemd answers over D-Bus, and units' names as object paths: the first byte says which. */
#include "lib/manager.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  if (data[0] & 1) {
    unsigned type = 0;
    uint32_t to = 0, value = 0;
    bool has = false;
    int r = manager_reply(data + 1, size - 1, &type, &to, &has, &value);
    PROMISE(r <= 0 || (size_t)r <= size - 1);
    return 0;
  }
  char path[256];
  data++;
  size--;
  cleanup_free char *unit = fuzz_part(&data, &size);
  if (manager_unit_path(unit, path, sizeof path) == 0)
    PROMISE(!path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/")]);
  return 0;
}
