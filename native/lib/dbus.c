/* D-Bus messages: see dbus.h. The wire format is of dbus.freedesktop.org/doc/dbus-specification.html. */
#include "dbus.h"

enum { HEADER = 16 };
enum {
  FIELD_PATH = 1,
  FIELD_INTERFACE = 2,
  FIELD_MEMBER = 3,
  FIELD_ERROR = 4,
  FIELD_REPLY_SERIAL = 5,
  FIELD_DESTINATION = 6,
  FIELD_SIGNATURE = 8
};

/* --- writing --- */

void dbus_put(struct dbus_out *o, const void *bytes, size_t len) {
  if (o->full || o->len + len > o->size) {
    o->full = true;
    return;
  }
  if (len) memcpy(o->buf + o->len, bytes, len);
  o->len += len;
}

void dbus_align(struct dbus_out *o, size_t to) {
  static const unsigned char zero[8];
  dbus_put(o, zero, (to - o->len % to) % to);
}

void dbus_put_u32(struct dbus_out *o, uint32_t value) {
  const unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
                                  (unsigned char)(value >> 24)};
  dbus_align(o, 4);
  dbus_put(o, bytes, 4);
}

void dbus_put_u64(struct dbus_out *o, uint64_t value) {
  dbus_align(o, 8);
  dbus_put_u32(o, (uint32_t)value);
  dbus_put_u32(o, (uint32_t)(value >> 32));
}

void dbus_put_string(struct dbus_out *o, const char *text) {
  dbus_put_u32(o, (uint32_t)strlen(text));
  dbus_put(o, text, strlen(text) + 1);
}

void dbus_put_signature(struct dbus_out *o, const char *text) {
  const unsigned char len = (unsigned char)strlen(text);
  dbus_put(o, &len, 1);
  dbus_put(o, text, len + 1u);
}

struct dbus_array dbus_open_array(struct dbus_out *o, size_t align) {
  struct dbus_array a;
  dbus_put_u32(o, 0);
  a.at = o->full ? 0 : o->len - 4;
  dbus_align(o, align);
  a.start = o->len;
  return a;
}

void dbus_close_array(struct dbus_out *o, struct dbus_array array) {
  const size_t end = o->len;
  if (o->full) return;
  o->len = array.at;
  dbus_put_u32(o, (uint32_t)(end - array.start));
  o->len = end;
}

/* A header field: struct of a code and a variant of a string ('s'), an object path ('o') or a signature ('g'). */
static void put_field(struct dbus_out *o, unsigned char code, char type, const char *value) {
  const unsigned char start[4] = {code, 1, (unsigned char)type, 0};
  dbus_align(o, 8);
  dbus_put(o, start, 4);
  if (type == 'g')
    dbus_put_signature(o, value);
  else
    dbus_put_string(o, value);
}

int dbus_message(unsigned char *buf, size_t size, uint32_t serial, const struct dbus_call *call) {
  static const unsigned char start[4] = {'l', 1 /* method call */, 0, 1 /* version */};
  struct dbus_out o = {.buf = buf, .size = size};
  dbus_put(&o, start, sizeof start);
  dbus_put_u32(&o, (uint32_t)call->body_len);
  dbus_put_u32(&o, serial);
  dbus_put_u32(&o, 0); /* the fields' length, below */
  put_field(&o, FIELD_PATH, 'o', call->path);
  put_field(&o, FIELD_DESTINATION, 's', call->destination);
  put_field(&o, FIELD_INTERFACE, 's', call->interface);
  put_field(&o, FIELD_MEMBER, 's', call->member);
  if (call->signature) put_field(&o, FIELD_SIGNATURE, 'g', call->signature);
  const size_t fields_end = o.len;
  dbus_align(&o, 8);
  dbus_put(&o, call->body, call->body_len);
  if (o.full) return -E2BIG;
  const size_t len = o.len;
  o.len = 12;
  dbus_put_u32(&o, (uint32_t)(fields_end - HEADER));
  return (int)len;
}

/* --- reading --- */

static uint32_t get_u32(const unsigned char *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A text of `len` bytes and its NUL within buf[at..end). */
static const char *text_at(const unsigned char *buf, size_t at, uint32_t len, size_t end) {
  return at <= end && len < end - at && !buf[at + len] && !memchr(buf + at, 0, len) ? (const char *)buf + at : NULL;
}

/* The fields that we look at. False when they lie about their lengths. */
static bool read_fields(const unsigned char *buf, size_t end, struct dbus_in *ret) {
  for (size_t at = HEADER; at + 6 <= end; at = (at + 7) & ~(size_t)7) {
    const unsigned char code = buf[at];
    const char type = (char)buf[at + 2];
    if (buf[at + 1] != 1) return false;
    at += 4;
    if (type != 'g' && end - at < 4) return false;
    if (type == 'u') {
      if (code == FIELD_REPLY_SERIAL) ret->reply_to = get_u32(buf + at);
      at += 4;
      continue;
    }
    const bool is_signature = type == 'g';
    if (!is_signature && type != 's' && type != 'o') return false;
    const uint32_t len = is_signature ? buf[at] : get_u32(buf + at);
    at += is_signature ? 1 : 4;
    const char *text = text_at(buf, at, len, end);
    if (!text) return false;
    if (code == FIELD_MEMBER) ret->member = text;
    if (code == FIELD_ERROR) ret->error = text;
    if (code == FIELD_SIGNATURE) ret->signature = text;
    at += len + 1u;
  }
  return true;
}

int dbus_parse(const unsigned char *buf, size_t len, struct dbus_in *ret) {
  if (len < HEADER) return 0;
  const uint32_t body_len = get_u32(buf + 4), fields_len = get_u32(buf + 12);
  if (buf[0] != 'l' || body_len > DBUS_MESSAGE_MAX || fields_len > DBUS_MESSAGE_MAX) return -EBADMSG;
  const size_t fields_end = HEADER + fields_len, body = (fields_end + 7) & ~(size_t)7, end = body + body_len;
  if (end > DBUS_MESSAGE_MAX) return -EBADMSG;
  if (len < end) return 0;
  *ret = (struct dbus_in){.type = buf[1], .member = "", .error = "", .signature = "", .body = buf + body, .body_len = body_len};
  return read_fields(buf, fields_end, ret) ? (int)end : -EBADMSG;
}

bool dbus_get_u32(struct dbus_in *in, uint32_t *ret) {
  const size_t at = (in->at + 3) & ~(size_t)3;
  if (at > in->body_len || in->body_len - at < 4) return false;
  *ret = get_u32(in->body + at);
  in->at = at + 4;
  return true;
}

bool dbus_get_string(struct dbus_in *in, const char **ret) {
  uint32_t len;
  if (!dbus_get_u32(in, &len)) return false;
  *ret = text_at(in->body, in->at, len, in->body_len);
  if (*ret) in->at += len + 1u;
  return *ret != NULL;
}
