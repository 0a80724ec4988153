/* What the runner of a container's probes leaves in its run folder: probe.json, and killed.json where a probe ends the container. */
#pragma once
#include "probespec.h"
#include "proc.h"

enum { PROBE_MESSAGE_MAX = 240 };

/* One probe as it stands. */
struct probe_record {
  struct probe_count count;
  char message[PROBE_MESSAGE_MAX]; /* of the last try that did not succeed; "" after one that did */
  int64_t at;                      /* when the last result came, seconds since the epoch; 0: there is none */
};

/* `{"pid":N,"startTime":"…","started":BOOL,"ready":BOOL,"probes":{"liveness":{"state":"ok","last":"ok","run":3,"at":S,"message":""}}}` */
int probe_record_write(int dir, const struct proc_id *id, const struct probe_spec *s, const struct probe_record *records, bool started,
                       bool ready, struct err *err);
/* Whether an earlier runner had seen the startup probe of this very process succeed. */
bool probe_record_started(int dir, const struct proc_id *id);

/* `{"pid":N,"startTime":"…","probe":"liveness","message":"…","at":S}` */
int probe_killed_write(int dir, const struct proc_id *id, enum probe_kind kind, const char *message, struct err *err);
/* What killed.json says of this process: "liveness probe failed: …"; NULL when it was not ended by a probe. A new string. */
char *probe_killed_read(int dir, const struct proc_id *id);
