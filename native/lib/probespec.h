/* probe.json: what is to be asked of one container, how often, and what follows (native/README.md, "Probes"). */
#pragma once
#include <jansson.h>

#include "httpget.h"
#include "probecount.h"

enum probe_handler { PROBE_EXEC, PROBE_HTTP, PROBE_TCP, PROBE_GRPC };

struct probe {
  bool declared;
  enum probe_handler handler;
  struct probe_timing timing;
  unsigned grace;        /* seconds the container has when this one ends it; 0: SIGKILL at once */
  const char **command;  /* exec: NULL at the end */
  struct http_wish http; /* and the host and port of a TCP one */
  const char *service;   /* gRPC */
};

struct probe_spec {
  json_t *root; /* owns the strings */
  const char *run_dir, *join, *unit, *identifier, *stop_signal;
  bool gated;    /* the mark `ready` is ours */
  bool restarts; /* what is ended is started again */
  struct probe probes[PROBE_KINDS];
};

/* Reads DIR/probe.json; errors name the member. On failure nothing is held. */
int probe_spec_read(const char *folder, struct probe_spec *ret, struct err *err);
/* The same for text. */
int probe_spec_parse(const char *text, size_t len, struct probe_spec *ret, struct err *err);
/* One probe alone, as it stands in probe.json. */
int probe_parse(const json_t *object, const char *at, struct probe *ret, struct err *err);
void probe_free(struct probe *p);
void probe_spec_free(struct probe_spec *s);
