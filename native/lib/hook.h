/* What a container's lifecycle hooks do: a command in it, a question to a web server, or a wait (native/README.md, `io.podgen.post-start`).
 */
#pragma once
#include <jansson.h>

#include "httpget.h"

struct bundle;

enum hook_kind { HOOK_NONE, HOOK_EXEC, HOOK_HTTP, HOOK_SLEEP };

struct hook {
  enum hook_kind kind;
  const char **args;     /* of a command; a new array, the strings are the tree's */
  struct http_wish http; /* its headers: a new array, too */
  unsigned seconds;      /* of a wait */
};

/* `{"exec":["sh","-c","…"]}`, `{"httpGet":{…}}` (httpwish.h) or `{"sleep":5}`; `at` is where that stands. On failure arrays may be held. */
int hook_read(const json_t *note, const char *at, struct hook *ret, struct err *err);

/*
 * Does it, until `deadline` (clock_ms; negative: none). What a command writes goes to the journal under the container's unit, with
 * `name` before it. A server is asked in the pod's network, and any answer is good, as in Kubernetes: its status is nobody's. `main` is the
 * container's main process: when that ends, so does the hook, and it is no failure of it. 0, or -ETIMEDOUT, or another negative number
 * where it failed: `err` says how, with its last line.
 */
int hook_run(const struct hook *hook, const struct bundle *b, const char *name, int main, int64_t deadline, struct err *err);
