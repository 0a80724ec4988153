/* Properties of a scope out of annotations: see cgroup_properties.h; docs.gtk.org/glib/gvariant-text-format.html. */
#include "cgroup_properties.h"

static const char prefix[] = "org.systemd.property.";

static int wrong(const struct oci_pair *pair, struct err *err) {
  return err_set(err, 0, "cgroup", "annotation %s: \"%s\" is no value that systemd's properties take", pair->key, pair->value);
}

/* 'text' or "text": without escapes but of the quote and the backslash. Returns what follows, or NULL. */
static const char *read_text(const char *at, char *to, size_t size) {
  const char quote = *at++;
  size_t n = 0;
  if (quote != '\'' && quote != '"') return NULL;
  for (; *at && *at != quote; at++) {
    if (*at == '\\' && !*++at) return NULL;
    if (n + 1 == size) return NULL;
    to[n++] = *at;
  }
  to[n] = 0;
  return *at == quote ? at + 1 : NULL;
}

static const char *spaces(const char *at) {
  return at + strspn(at, " ");
}

/* Behind the variant's signature, which is "as". */
static bool put_texts(const struct cg_properties *p, const char *at, char *text, size_t size) {
  struct dbus_array a = dbus_open_array(p->o, 4);
  at = spaces(at + 1);
  while (at && *at != ']') {
    at = read_text(at, text, size);
    if (!at) return false;
    dbus_put_string(p->o, text);
    at = spaces(at);
    if (*at == ',') at = spaces(at + 1);
  }
  dbus_close_array(p->o, a);
  return !*spaces(at + 1);
}

/* A number with its type before it; int32 where there is none. */
static bool put_number(const struct cg_properties *p, const char *name, bool seconds, const char *text) {
  static const struct {
    const char *word;
    char signature[2];
  } types[] = {{"int32 ", "i"}, {"uint32 ", "u"}, {"int64 ", "x"}, {"uint64 ", "t"}};
  char signature[2] = "i", *end;
  for (size_t i = 0; i < N_ELEMENTS(types); i++)
    if (!strncmp(text, types[i].word, strlen(types[i].word))) {
      strcpy(signature, types[i].signature);
      text = spaces(text + strlen(types[i].word));
    }
  errno = 0;
  uint64_t value = *text == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);
  if (errno || end == text || *spaces(end)) return false;
  if (seconds) {
    if (*text == '-' || __builtin_mul_overflow(value, 1000000u, &value)) return false;
    strcpy(signature, "t");
  }
  const bool wide = *signature == 'x' || *signature == 't';
  if (!wide && (*text == '-' ? (int64_t)value < INT32_MIN : value > (*signature == 'i' ? INT32_MAX : UINT32_MAX))) return false;
  dbus_align(p->o, 8);
  dbus_put_string(p->o, name);
  dbus_put_signature(p->o, signature);
  if (wide)
    dbus_put_u64(p->o, value);
  else
    dbus_put_u32(p->o, (uint32_t)value);
  return true;
}

static int add(const struct cg_properties *p, const struct oci_pair *pair, struct err *err) {
  const char *name = pair->key + strlen(prefix), *value = spaces(pair->value);
  const size_t len = strlen(name);
  const bool seconds = len > 3 && !strcmp(name + len - 3, "Sec") && name[len - 4] >= 'a' && name[len - 4] <= 'z';
  cleanup_free char *text = malloc(strlen(value) + 1), *own = seconds ? xformat("%.*sUSec", (int)len - 3, name) : strdup(name);
  if (!text || !own) return err_set(err, ENOMEM, "cgroup", "%s", pair->key);
  if (len < 3 || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")])
    return err_set(err, 0, "cgroup", "annotation %s: no name of a property", pair->key);
  if (*value == '\'' || *value == '"') {
    const char *end = read_text(value, text, strlen(value) + 1);
    if (!end || *spaces(end)) return wrong(pair, err);
    cg_property_string(p, own, text);
    return 0;
  }
  if (!strcmp(value, "true") || !strcmp(value, "false")) {
    cg_property_bool(p, own, *value == 't');
    return 0;
  }
  if (*value != '[') return put_number(p, own, seconds, value) ? 0 : wrong(pair, err);
  dbus_align(p->o, 8);
  dbus_put_string(p->o, own);
  dbus_put_signature(p->o, "as");
  return put_texts(p, value, text, strlen(value) + 1) ? 0 : wrong(pair, err);
}

int cg_properties_annotations(const struct cg_properties *p, const struct oci_pair *pairs, size_t n, struct err *err) {
  int r = 0;
  for (size_t i = 0; i < n && r == 0; i++)
    if (!strncmp(pairs[i].key, prefix, strlen(prefix))) r = add(p, &pairs[i], err);
  return r;
}
