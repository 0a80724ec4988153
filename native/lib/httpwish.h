/* What is to be asked of a web server, as podgen writes it in JSON: of probes (probe.json) and hooks (annotations). */
#pragma once
#include <jansson.h>

#include "httpget.h"

/*
 * Reads `{"host":"","port":80,"path":"/x","tls":false,"headers":[["Name","value"],…]}`. `at`: where that stands, `step`: in which file,
 * both for messages. ret->headers is a new array, the caller's to free, also after a failure; the strings are the tree's. -EINVAL.
 */
int http_wish_read(const json_t *o, const char *step, const char *at, struct http_wish *ret, struct err *err);
/* Host and port alone. */
int http_wish_read_place(const json_t *o, const char *step, const char *at, struct http_wish *ret, struct err *err);
