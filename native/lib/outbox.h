/*
 * Lines on their way to the journal: encoded into entries; held, never dropped, while journald does not take them.
 * Each is a datagram of its own. The protocol allows several in one, parted by empty lines, but journald from 253 on reads
 * the first and drops the rest without a word (seen with 257; 252 takes all).
 */
#pragma once
#include "journal.h"
#include "util.h"

/* What waits to be sent together; a longer entry is not copied. */
#define OUTBOX_ROOM (24 * 1024)

struct outbox {
  struct journal journal;
  bool blocked;    /* the last try found the journal full or away */
  int retry_ms;    /* how long to wait where there is nothing to poll for */
  int spill;       /* -1, or the file that entries go to instead of the journal */
  size_t resent;   /* how much of the file that is sent again has been sent */
  size_t off, len; /* of the frames that wait: a 32 bit length, then the entry */
  char bytes[OUTBOX_ROOM];
};

/* A line as an entry; `fields`: what stands before it, packed (relay.h); priority: syslog's. 0, or -EAGAIN: blocked, offer it again; else
 * it is lost. */
int outbox_add(struct outbox *o, const char *fields, size_t fields_len, int priority, const char *line, size_t len, bool partial);
/* Sends what is there. 0 or -EAGAIN. */
int outbox_flush(struct outbox *o);
/*
 * Sends a file of entries that a spill wrote. 0; -EAGAIN: not now, offer the same file again; other errors: never. What was
 * sent of it by a process that then ended is sent again: twice is better than never.
 */
int outbox_resend(struct outbox *o, int fd);
