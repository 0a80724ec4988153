/* Text of unknown making: see utf8.h. */
#include "utf8.h"

size_t utf8_len(const unsigned char *p) {
  if (p[0] < 0x80) return 1;
  size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
  if (p[0] < 0xc2 || p[0] > 0xf4) return 0;
  for (size_t i = 1; i < n; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
    return 0;
  return n;
}

char *utf8_clean(const char *bytes, size_t len) {
  static const char unknown[] = "\xef\xbf\xbd";
  /* A copy with an end, so that no sequence is looked for beyond it. */
  cleanup_free char *in = malloc(len + 1);
  char *out = malloc(len * (sizeof unknown - 1) + 1);
  if (!in || !out) {
    free(out);
    return NULL;
  }
  memcpy(in, bytes, len);
  in[len] = 0;
  size_t to = 0;
  for (size_t at = 0; at < len;) {
    const size_t n = in[at] ? utf8_len((const unsigned char *)in + at) : 0;
    memcpy(out + to, n ? in + at : unknown, n ? n : sizeof unknown - 1);
    to += n ? n : sizeof unknown - 1;
    at += n ? n : 1;
  }
  out[to] = 0;
  return out;
}
