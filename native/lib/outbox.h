/* Lines on their way to the journal: encoded into entries, many to a datagram; held, never dropped, while journald does not take them. */
#pragma once
#include "journal.h"
#include "util.h"

/* Well below the send buffer (208 KiB), so that several fit; a longer entry goes alone. */
#define OUTBOX_DATAGRAM (24 * 1024)

struct outbox {
  struct journal journal;
  bool blocked; /* the last try found the journal full or away */
  int retry_ms; /* how long to wait where there is nothing to poll for */
  int spill;    /* -1, or the file that entries go to instead of the journal */
  size_t len;
  char bytes[OUTBOX_DATAGRAM];
};

/* A line as an entry; `fields`: what stands before it, packed (relay.h); priority: syslog's. 0, or -EAGAIN: blocked, offer it again; else
 * it is lost. */
int outbox_add(struct outbox *o, const char *fields, size_t fields_len, int priority, const char *line, size_t len, bool partial);
/* Sends what is there. 0 or -EAGAIN. */
int outbox_flush(struct outbox *o);
/* Sends a file of entries that a spill wrote. 0; -EAGAIN: not now; other errors: never. */
int outbox_resend(struct outbox *o, int fd);
