/* Reading what is to be asked of a web server: see httpwish.h. */
#include "httpwish.h"

#include "jsonget.h"

enum { HEADERS_MAX = 1000 };

int http_wish_read_place(const json_t *o, const char *step, const char *at, struct http_wish *w, struct err *err) {
  int64_t port = 0;
  w->host = "";
  int r = json_get_string(o, at, "host", false, &w->host, err);
  if (r == 0) r = json_get_int(o, at, "port", 1, UINT16_MAX, &port, err);
  if (r == 0 && !port) return err_set(err, 0, step, "%s.port: it is missing", at), -EINVAL;
  w->port = (uint16_t)port;
  return r;
}

/* [["Name","value"],…] */
static int read_headers(const json_t *o, const char *step, const char *at, struct http_wish *w, struct err *err) {
  json_t *list = NULL;
  int r = json_get(o, at, "headers", JSON_ARRAY, false, &list, err);
  const size_t n = json_array_size(list);
  if (r < 0 || !n) return r;
  struct http_header *headers = n <= HEADERS_MAX ? calloc(n, sizeof *headers) : NULL;
  if (!headers) return err_set(err, ENOMEM, step, "%s.headers", at);
  w->headers = headers;
  w->n_headers = n;
  for (size_t i = 0; i < n; i++) {
    const json_t *pair = json_array_get(list, i);
    headers[i] = (struct http_header){json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1))};
    if (!headers[i].name || !headers[i].value) return err_set(err, 0, step, "%s.headers: expected pairs of texts", at), -EINVAL;
  }
  return 0;
}

int http_wish_read(const json_t *o, const char *step, const char *at, struct http_wish *w, struct err *err) {
  int r = http_wish_read_place(o, step, at, w, err);
  w->path = "/";
  if (r == 0) r = json_get_string(o, at, "path", false, &w->path, err);
  if (r == 0) r = json_get_bool(o, at, "tls", &w->tls, err);
  return r < 0 ? r : read_headers(o, step, at, w, err);
}
