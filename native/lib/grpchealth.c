/* The gRPC health protocol's one call: see grpchealth.h; RFC 9113. */
#include "grpchealth.h"

#include "deadline.h"
#include "wire.h"

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PUSH_PROMISE = 5, PING = 6, GOAWAY = 7, CONTINUATION = 9 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITY = 32 };
enum { FRAME_HEAD = 9, FRAME_MAX = 16 * 1024, BLOCK_MAX = 16 * 1024, ANSWER_MAX = 64, FRAMES_MAX = 1000, STREAM = 1 };

static int bad(struct err *err, const char *what) {
  (void)err_set(err, 0, "gRPC", "%s", what);
  return -EPROTO;
}

/* --- the question --- */

struct out {
  unsigned char bytes[2048];
  size_t len;
};

static void put(struct out *o, const void *bytes, size_t len) {
  memcpy(o->bytes + o->len, bytes, len);
  o->len += len;
}

static void put_byte(struct out *o, unsigned byte) {
  o->bytes[o->len++] = (unsigned char)byte;
}

static void put_head(struct out *o, size_t len, unsigned type, unsigned flags, unsigned stream) {
  const unsigned char head[FRAME_HEAD] = {0, (unsigned char)(len >> 8), (unsigned char)len, (unsigned char)type, (unsigned char)flags, 0, 0,
                                          0, (unsigned char)stream};
  put(o, head, sizeof head);
}

/* A text of at most 126 bytes as it is. */
static void put_text(struct out *o, const char *text) {
  put_byte(o, (unsigned)strlen(text));
  put(o, text, strlen(text));
}

/* Not indexed, with a name of the static table or, for 0, one of its own. */
static void put_field(struct out *o, unsigned index, const char *name, const char *value) {
  put_byte(o, index);
  if (!index) put_text(o, name);
  put_text(o, value);
}

static void put_question(struct out *o, const char *service, const char *authority) {
  struct out h = {.len = 0};
  const size_t n = strlen(service), message = n ? n + 2 : 0;
  static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  /* No dynamic table for what it sends, and no pushing. */
  static const unsigned char settings[] = {0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0};
  put(o, preface, sizeof preface - 1);
  put_head(o, sizeof settings, SETTINGS, 0, 0);
  put(o, settings, sizeof settings);
  put_byte(&h, 0x83); /* :method POST */
  put_byte(&h, 0x86); /* :scheme http */
  put_field(&h, 4, NULL, "/grpc.health.v1.Health/Check");
  put_field(&h, 1, NULL, authority);
  put_field(&h, 0, "te", "trailers");
  put_field(&h, 0, "content-type", "application/grpc");
  put_field(&h, 0, "user-agent", "podgen-probe");
  put_head(o, h.len, HEADERS, END_HEADERS, STREAM);
  put(o, h.bytes, h.len);
  put_head(o, 5 + message, DATA, END_STREAM, STREAM);
  const unsigned char prefix[] = {0, 0, 0, (unsigned char)(message >> 8), (unsigned char)message};
  put(o, prefix, sizeof prefix);
  if (!n) return;
  put_byte(o, 0x0a);
  put_byte(o, (unsigned)n);
  put(o, service, n);
}

/* --- the answer --- */

struct call {
  struct wire *wire;
  int64_t deadline;
  struct grpc_headers headers;
  size_t block_len, answer_len;
  bool ended;
  unsigned char frame[FRAME_MAX], block[BLOCK_MAX], answer[ANSWER_MAX];
};

static int take(struct call *c, unsigned char *to, size_t len, struct err *err) {
  while (len) {
    const ssize_t n = wire_receive(c->wire, to, len, c->deadline, err);
    if (n < 0) return (int)n;
    if (n == 0) return bad(err, "the server closed the connection before its answer was whole");
    to += n;
    len -= (size_t)n;
  }
  return 0;
}

static int reply(struct call *c, unsigned type, const unsigned char *bytes, size_t len, struct err *err) {
  struct out o = {.len = 0};
  put_head(&o, len, type, ACK, 0);
  if (len) put(&o, bytes, len);
  return wire_send(c->wire, o.bytes, o.len, c->deadline, err);
}

/* Takes padding, and for HEADERS the priority, away. */
static int strip(unsigned flags, unsigned type, const unsigned char **at, size_t *len, struct err *err) {
  size_t pad = 0;
  const size_t before = (flags & PADDED ? 1 : 0) + (type == HEADERS && flags & PRIORITY ? 5 : 0);
  if (flags & PADDED && *len) pad = **at;
  if (before + pad > *len) return bad(err, "a frame's padding is longer than the frame");
  *at += before;
  *len -= before + pad;
  return 0;
}

static int on_headers(struct call *c, unsigned flags, const unsigned char *at, size_t len, struct err *err) {
  if (c->block_len + len > sizeof c->block) return bad(err, "its headers are longer than 16 KiB");
  memcpy(c->block + c->block_len, at, len);
  c->block_len += len;
  if (!(flags & END_HEADERS)) return 0;
  const int r = grpc_read_headers(c->block, c->block_len, &c->headers);
  c->block_len = 0;
  return r < 0 ? bad(err, "its headers cannot be read") : 0;
}

static int on_stream(struct call *c, unsigned type, unsigned flags, size_t len, struct err *err) {
  const unsigned char *at = c->frame;
  int r = 0;
  if (type == RST_STREAM) return bad(err, "the server gave the call up (RST_STREAM)");
  if (type == HEADERS || type == DATA) r = strip(flags, type, &at, &len, err);
  if (r == 0 && (type == HEADERS || type == CONTINUATION)) r = on_headers(c, flags, at, len, err);
  if (r == 0 && type == DATA) {
    if (c->answer_len + len > sizeof c->answer) return bad(err, "its answer is too long for one of a health service");
    memcpy(c->answer + c->answer_len, at, len);
    c->answer_len += len;
  }
  if ((type == HEADERS || type == DATA) && flags & END_STREAM) c->ended = true;
  return r;
}

static int read_frame(struct call *c, struct err *err) {
  unsigned char head[FRAME_HEAD];
  int r = take(c, head, sizeof head, err);
  if (r < 0) return r;
  const size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
  const unsigned type = head[3], flags = head[4];
  const unsigned stream = (unsigned)(head[5] & 127) << 24 | (unsigned)head[6] << 16 | (unsigned)head[7] << 8 | head[8];
  /* "HTT" is a length, too. */
  if (len > sizeof c->frame) return bad(err, "the server does not speak HTTP/2");
  r = take(c, c->frame, len, err);
  if (r < 0) return r;
  if (stream == STREAM) return on_stream(c, type, flags, len, err);
  if (type == SETTINGS && !(flags & ACK)) return reply(c, SETTINGS, NULL, 0, err);
  if (type == PING && !(flags & ACK) && len == 8) return reply(c, PING, c->frame, len, err);
  if (type == GOAWAY && len >= 8 && !c->frame[3]) return bad(err, "the server goes away (GOAWAY)");
  return type == PUSH_PROMISE ? bad(err, "the server pushes") : 0;
}

/* HealthCheckResponse: field 1, a varint. */
static int judge_answer(const struct call *c, struct err *err) {
  static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
  const unsigned char *a = c->answer;
  if (c->answer_len < 5 || a[0] || a[1] || a[2] || a[3] || (size_t)a[4] + 5 != c->answer_len)
    return bad(err, "its answer is none of a health service");
  const unsigned status = a[4] >= 2 && a[5] == 0x08 ? a[6] : 0;
  if (status == 1) return 0;
  (void)err_set(err, 0, "gRPC", "the service says %s", status < N_ELEMENTS(names) ? names[status] : "what nobody knows");
  return -EPROTO;
}

static int judge(const struct call *c, struct err *err) {
  const struct grpc_headers *h = &c->headers;
  if (h->status != 200) {
    (void)err_set(err, 0, "gRPC", "HTTP status %d", h->status);
    return -EPROTO;
  }
  if (h->grpc_status == 0) return judge_answer(c, err);
  static const struct {
    int code;
    const char *meaning;
  } known[] = {{12, " (the server has no health service)"}, {5, " (the server does not know the service)"}};
  const char *meaning = "";
  for (size_t i = 0; i < N_ELEMENTS(known); i++)
    if (known[i].code == h->grpc_status) meaning = known[i].meaning;
  if (h->grpc_status < 0) return bad(err, "the answer has no grpc-status");
  (void)err_set(err, 0, "gRPC", "status %d%s", h->grpc_status, meaning);
  return -EPROTO;
}

int grpc_health(uint16_t port, const char *service, int64_t deadline, struct err *err) {
  char where[WIRE_WHERE_MAX], authority[WIRE_WHERE_MAX + 8];
  struct wire wire;
  struct out o = {.len = 0};
  if (strlen(service) > 126) return err_set(err, EINVAL, "gRPC", "a service's name of more than 126 bytes");
  int r = wire_connect("", port, deadline, where, &wire, err);
  if (r < 0) return r;
  snprintf(authority, sizeof authority, strchr(where, ':') ? "[%s]:%u" : "%s:%u", where, port);
  struct call *c = calloc(1, sizeof *c);
  if (!c) {
    r = err_set(err, ENOMEM, "gRPC", "%s", "");
  } else {
    *c = (struct call){.wire = &wire, .deadline = deadline, .headers = {.grpc_status = -1}};
    put_question(&o, service, authority);
    r = wire_send(&wire, o.bytes, o.len, deadline, err);
  }
  for (int i = 0; r == 0 && c && !c->ended; i++) r = i < FRAMES_MAX ? read_frame(c, err) : bad(err, "the server sends frames without end");
  if (r == 0) r = judge(c, err);
  free(c);
  wire_close(&wire);
  return r;
}
