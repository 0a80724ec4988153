/* Names in a layer's archive: see tarpath.h. */
#include "tarpath.h"

#include "utf8.h"

static int bad(struct err *err, int code, const char *name, const char *why) {
  char shown[256];
  tarpath_show(name, shown, sizeof shown);
  return err_set(err, code, "name", "%s: %s", shown, why);
}

int tarpath_clean(const char *name, const struct tarpath_limits *limits, char out[PATH_MAX], struct err *err) {
  size_t max = limits->name < PATH_MAX ? limits->name : PATH_MAX - 1, len = 0;
  unsigned depth = 0;
  if (!*name) return err_set(err, 0, "name", "an entry has no name"), -EINVAL;
  for (const char *p = name; *p;) {
    size_t n = strcspn(p, "/");
    if (n == 2 && p[0] == '.' && p[1] == '.') return bad(err, 0, name, "leads out of the layer (`..`)"), -EINVAL;
    if (n > NAME_MAX) return bad(err, ENAMETOOLONG, name, "a part of it");
    if (n && !(n == 1 && p[0] == '.')) {
      if (++depth > limits->depth) return bad(err, 0, name, "nested too deeply (--max-depth)"), -ENAMETOOLONG;
      if (len + (len ? 1 : 0) + n > max) return bad(err, 0, name, "longer than allowed (--max-name)"), -ENAMETOOLONG;
      if (len) out[len++] = '/';
      memcpy(out + len, p, n);
      len += n;
    }
    p += n;
    p += strspn(p, "/");
  }
  out[len] = 0;
  return (int)len;
}

#define WH ".wh."
#define WH_META ".wh..wh."
#define WH_OPAQUE ".wh..wh..opq"

int tarpath_classify(char *path, struct err *err) {
  char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
  for (char *p = path; p < last; p = strchr(p, '/') + 1)
    if (!strncmp(p, WH, strlen(WH))) return TARPATH_META;
  if (strncmp(last, WH, strlen(WH)) != 0) return TARPATH_ENTRY;
  if (!strcmp(last, WH_OPAQUE)) {
    *(slash ? slash : path) = 0;
    return TARPATH_OPAQUE;
  }
  if (!strncmp(last, WH_META, strlen(WH_META))) return TARPATH_META;
  const char *hidden = last + strlen(WH);
  if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, "..")) return bad(err, 0, path, "hides no name"), -EINVAL;
  memmove(last, hidden, strlen(hidden) + 1);
  return TARPATH_WHITEOUT;
}

void tarpath_show(const char *name, char *out, size_t size) {
  static const char hex[] = "0123456789abcdef";
  static const char dots[] = "…";
  size_t len = 0;
  for (const unsigned char *p = (const unsigned char *)name; *p;) {
    size_t n = utf8_len(p);
    bool plain = n > 1 || (n == 1 && *p >= 0x20 && *p != 0x7f && *p != '\\');
    if (len + (plain ? n : 4) + sizeof dots > size) {
      memcpy(out + len, dots, sizeof dots);
      return;
    }
    if (plain) {
      memcpy(out + len, p, n);
      len += n;
      p += n;
    } else {
      char code[4] = {'\\', 'x', hex[*p >> 4], hex[*p & 15]};
      memcpy(out + len, code, sizeof code);
      len += sizeof code;
      p++;
    }
  }
  out[len] = 0;
}
