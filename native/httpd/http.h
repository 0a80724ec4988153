/* HTTP/1.1 (RFC 9112) without sockets: a request's bytes in, a decision out; a reply's head as bytes. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request {
  int status;        /* 0: good so far; else the error to answer with */
  bool head;         /* HEAD: no body */
  bool keep;         /* the connection may go on after the reply */
  char method[16];   /* for the log */
  char target[1024]; /* as asked for, for the log and for redirections; without what a terminal would obey */
  char path[1024];   /* decoded, begins with '/', without the query */
};

/*
 * Reads one request from `in`. Gives how many bytes it took, 0 when its end has not come yet. Whatever is wrong becomes ret->status,
 * and then the connection is not kept.
 */
size_t http_parse(const char *in, size_t len, struct request *ret);

struct reply {
  int status;
  bool keep;
  const char *type;
  uint64_t length;
  const char *location; /* or NULL */
  int64_t now;          /* seconds since the epoch, for Date */
};

/* Writes status line and headers; the length, always below 2 KiB and `size`. */
size_t http_head(const struct reply *reply, char *out, size_t size);
/* "404 Not Found", for the body of an error too. */
const char *http_reason(int status);
/* Content type by the name's end. */
const char *http_type(const char *path);

/* Appends text; true when it fitted. `out` stays terminated. */
bool put_text(char *out, size_t size, size_t *len, const char *text);
bool put_number(char *out, size_t size, size_t *len, uint64_t number);
