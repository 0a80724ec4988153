/* Two numbers out of a block of HTTP/2's headers: see grpc_read_headers in grpchealth.h; RFC 7541. */
#include "grpchealth.h"

struct block {
  const unsigned char *at, *end;
};

/* Its appendix A: entries 8 to 14 are :status with these values, and any entry's index may stand for a name. */
enum { STATUS_FIRST = 8, STATUS_LAST = 14, VALUE_MAX = 1 << 20 };
static const int statuses[] = {200, 204, 206, 304, 400, 404, 500};

/* 5.1: an integer whose first byte has `bits` bits of it. */
static int read_integer(struct block *b, unsigned bits, size_t *ret) {
  if (b->at == b->end) return -EPROTO;
  const unsigned mask = (1u << bits) - 1;
  size_t value = *b->at++ & mask;
  if (value < mask) {
    *ret = value;
    return 0;
  }
  for (unsigned shift = 0; b->at < b->end && shift <= 14; shift += 7) {
    const unsigned char byte = *b->at++;
    value += (size_t)(byte & 127) << shift;
    if (byte & 128) continue;
    *ret = value;
    return value <= VALUE_MAX ? 0 : -EPROTO;
  }
  return -EPROTO;
}

struct text {
  const unsigned char *bytes;
  size_t len;
  bool huffman;
};

static int read_text(struct block *b, struct text *ret) {
  if (b->at == b->end) return -EPROTO;
  ret->huffman = *b->at & 128;
  const int r = read_integer(b, 7, &ret->len);
  if (r < 0 || ret->len > (size_t)(b->end - b->at)) return -EPROTO;
  ret->bytes = b->at;
  b->at += ret->len;
  return 0;
}

/* "grpc-status" in the code of appendix B: g r p c - s t a t u s, and ones up to the byte's end. */
static const unsigned char huffman_name[] = {0x9a, 0xca, 0xc8, 0xb2, 0x12, 0x34, 0xda, 0x8f};

static bool is_grpc_status(const struct text *t) {
  static const char name[] = "grpc-status";
  if (t->huffman) return t->len == sizeof huffman_name && !memcmp(t->bytes, huffman_name, t->len);
  return t->len == sizeof name - 1 && !memcmp(t->bytes, name, t->len);
}

/* Digits are short in appendix B: 0, 1 and 2 have five bits, the value itself; 3 to 9 six, from 25 on. */
static int read_number(const struct text *t) {
  int value = 0;
  unsigned bits = 0, have = 0;
  size_t digits = 0;
  for (size_t i = 0; i < t->len && digits < 4; i++) {
    if (!t->huffman) {
      if (t->bytes[i] < '0' || t->bytes[i] > '9') return -1;
      value = value * 10 + t->bytes[i] - '0';
      digits++;
      continue;
    }
    bits = bits << 8 | t->bytes[i];
    for (have += 8; have >= 5; digits++) {
      const unsigned five = bits >> (have - 5) & 31;
      if (five <= 2) {
        value = value * 10 + (int)five;
        have -= 5;
      } else if (have >= 6 && (bits >> (have - 6) & 63) >= 25 && (bits >> (have - 6) & 63) <= 31) {
        value = value * 10 + (int)(bits >> (have - 6) & 63) - 22;
        have -= 6;
      } else if (five == 31 || have >= 6) {
        return five == 31 && i + 1 == t->len && digits ? value : -1; /* what fills the last byte */
      } else {
        break;
      }
    }
  }
  return digits && digits < 4 ? value : -1;
}

static int read_literal(struct block *b, unsigned bits, struct grpc_headers *ret) {
  size_t index;
  struct text name = {0}, value;
  int r = read_integer(b, bits, &index);
  if (r == 0 && index == 0) r = read_text(b, &name);
  if (r == 0) r = read_text(b, &value);
  if (r < 0) return r;
  if (index >= STATUS_FIRST && index <= STATUS_LAST) ret->status = read_number(&value);
  if (index == 0 && is_grpc_status(&name)) ret->grpc_status = read_number(&value);
  return 0;
}

int grpc_read_headers(const unsigned char *block, size_t len, struct grpc_headers *ret) {
  struct block b = {.at = block, .end = block + len};
  int r = 0;
  while (r == 0 && b.at < b.end) {
    size_t index = 0;
    const unsigned char first = *b.at;
    if (first & 128) {
      r = read_integer(&b, 7, &index);
      if (r == 0 && index == 0) r = -EPROTO;
      if (r == 0 && index >= STATUS_FIRST && index <= STATUS_LAST) ret->status = statuses[index - STATUS_FIRST];
    } else if (first & 64) {
      r = read_literal(&b, 6, ret);
    } else if (first & 32) {
      r = read_integer(&b, 5, &index);
    } else {
      r = read_literal(&b, 4, ret);
    }
  }
  return r;
}
