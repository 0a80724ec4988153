/* D-Bus, as much of it as asking systemd takes: messages written and read by hand, little-endian, and a connection with a deadline. */
#pragma once
#include "util.h"

enum { DBUS_RETURN = 2, DBUS_ERROR = 3, DBUS_SIGNAL = 4 };
enum { DBUS_MESSAGE_MAX = 64 * 1024 };

/* --- writing: what does not fit sets `full` --- */

struct dbus_out {
  unsigned char *buf;
  size_t size, len;
  bool full;
};
void dbus_put(struct dbus_out *o, const void *bytes, size_t len);
void dbus_align(struct dbus_out *o, size_t to);
void dbus_put_u32(struct dbus_out *o, uint32_t value);
void dbus_put_u64(struct dbus_out *o, uint64_t value);
void dbus_put_string(struct dbus_out *o, const char *text); /* also an object path */
void dbus_put_signature(struct dbus_out *o, const char *text);
/* An array of elements that are aligned to `align` (8: structs, u64); closed with what opening returned. */
struct dbus_array {
  size_t at, start;
};
struct dbus_array dbus_open_array(struct dbus_out *o, size_t align);
void dbus_close_array(struct dbus_out *o, struct dbus_array array);

struct dbus_call {
  const char *destination, *path, *interface, *member;
  const char *signature; /* of the body, or NULL */
  const unsigned char *body;
  size_t body_len;
};
/* A whole method call. Its length, or -E2BIG. */
int dbus_message(unsigned char *buf, size_t size, uint32_t serial, const struct dbus_call *call);

/* --- reading --- */

struct dbus_in {
  unsigned type;
  uint32_t reply_to;                      /* 0: to nothing */
  const char *member, *error, *signature; /* in the buffer; "" where there is none */
  const unsigned char *body;
  size_t body_len, at; /* at: how far the body has been read */
};
/* 0: the message is not whole yet; else its length; -EBADMSG. */
int dbus_parse(const unsigned char *buf, size_t len, struct dbus_in *ret);
/* The next value of the body: false beyond its end, or when it is no text with its NUL. */
bool dbus_get_u32(struct dbus_in *in, uint32_t *ret);
bool dbus_get_string(struct dbus_in *in, const char **ret);

/* --- a connection --- */

struct dbus {
  int sock;
  uint32_t serial;
  size_t len, taken; /* what is in the buffer, and how much of it the last message was */
  unsigned char buf[DBUS_MESSAGE_MAX];
};
/*
 * Connects to a socket's path (abstract when it begins with "@") and authenticates as whoever the socket says we are. `bus`: there is a
 * message bus, which wants a Hello; else systemd itself. Deadlines are of lib/deadline.h's clock. -ETIMEDOUT, -ECONNREFUSED, -EBADMSG ...
 */
int dbus_connect(struct dbus *d, const char *path, bool bus, int64_t deadline);
void dbus_close(struct dbus *d);
/* Sends a call; *ret_serial is what its answer will name. */
int dbus_send(struct dbus *d, const struct dbus_call *call, uint32_t *ret_serial, int64_t deadline);
/* The next message; it is valid until the next call. */
int dbus_next(struct dbus *d, struct dbus_in *ret, int64_t deadline);
