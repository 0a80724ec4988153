/* What systemd answers over D-Bus, and units' names as object paths: the first byte says which. */
#include "lib/dbus.h"

#include "fuzz.h"
#include "lib/manager.h"

static void read_message(const uint8_t *data, size_t size) {
  struct dbus_in in;
  const char *text;
  uint32_t number;
  /* At the end of what is allocated, so that the sanitizer sees each byte too many. */
  cleanup_free unsigned char *copy = malloc(size ? size : 1);
  if (!copy) abort();
  memcpy(copy, data, size);
  const int len = dbus_parse(copy, size, &in);
  PROMISE(len <= 0 || (size_t)len <= size);
  if (len <= 0) return;
  PROMISE(in.body + in.body_len <= copy + size && strlen(in.member) + strlen(in.error) + strlen(in.signature) <= 3 * size);
  while (in.at < in.body_len && dbus_get_string(&in, &text)) PROMISE(strlen(text) <= in.body_len);
  while (dbus_get_u32(&in, &number)) continue;
}

static void name_unit(const uint8_t *data, size_t size) {
  char path[256];
  cleanup_free char *unit = fuzz_part(&data, &size);
  if (manager_unit_path(unit, path, sizeof path) == 0)
    PROMISE(!path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/")]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size) (data[0] & 1 ? read_message : name_unit)(data + 1, size - 1);
  return 0;
}
