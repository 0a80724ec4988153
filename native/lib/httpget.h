/* One HTTP/1.1 GET with a deadline, as Kubernetes' probes and lifecycle hooks make it. */
#pragma once
#include "util.h"

struct http_header {
  const char *name, *value;
};

struct http_wish {
  const char *host; /* an address, or "": the pod itself (wire.h) */
  uint16_t port;
  bool tls;         /* the certificate may be anybody's */
  const char *path; /* with its query; "" is "/" */
  const struct http_header *headers;
  size_t n_headers;
};

enum { HTTP_HEAD_MAX = 32 * 1024, HTTP_BODY_MAX = 10 * 1024, HTTP_REDIRECTS = 10 };

struct http_answer {
  int status;     /* 100 to 999 */
  bool elsewhere; /* it is a redirect to another host, and was not followed */
};

/*
 * Asks, follows up to ten redirects to the same host, and reads head and body, the latter up to 10 KiB. All of it before `deadline`
 * (clock_ms), whatever the server does. 0 with an answer, whose status is the caller's to judge; -ETIMEDOUT, -ECONNREFUSED, -EPROTO ...
 */
int http_get(const struct http_wish *wish, int64_t deadline, struct http_answer *ret, struct err *err);
/* 0: Kubernetes takes the answer for a success (200 to 399); else err says why not. */
int http_judge(const struct http_answer *answer, struct err *err);

/* --- parts, for tests --- */

/*
 * Where a redirect from `host`, `port`, `tls` leads. 1: to the same host, and *wish is changed; `room` holds the new path; 0: elsewhere;
 * -EPROTO.
 */
int http_redirect(const char *location, const char *host, struct http_wish *wish, char *room, size_t size);
