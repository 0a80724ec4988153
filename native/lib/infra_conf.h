/* What infra reads of its bundle: a small part of config.json (native/README.md), checked. */
#pragma once
#include <jansson.h>

#include "podids.h"
#include "util.h"

struct infra_conf {
  json_t *root; /* owns every string below */
  const char *pod, *unit, *run_dir, *digest, *hostname;
  bool network, ipc, uts, pid; /* namespaces to make */
  bool pasta;                  /* io.podgen.uplink */
  struct podids ids;           /* io.podgen.userns */
  const char *names;           /* io.podgen.names: the pod's own in /etc/hosts, tabs between; the host name where NULL */
  const char *hosts;           /* io.podgen.hosts: lines to add, or NULL */
  const char *resolv_conf;     /* io.podgen.resolv-conf: the whole file, or NULL */
  const char *resolv_lines;    /* io.podgen.resolv-lines: lines to add, or NULL */
  json_t *sysctl;              /* object of strings, or NULL */
  json_t *memory_volumes;      /* array of absolute paths or {"path", "size"}, or NULL; owned apart */
};

/* Reads DIR/config.json. On failure nothing is held. */
int infra_conf_read(const char *bundle, struct infra_conf *ret, struct err *err);
void infra_conf_free(struct infra_conf *conf);
