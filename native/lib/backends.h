/* The pods behind a Service: the list that podgen writes, which of them serve now, and whose turn it is. */
#pragma once
#include "address.h"

struct backend {
  struct backend *next;
  char *pod;
  uint16_t port; /* the pod's own */
  bool listed;   /* in the file as it is now */
  bool ready;    /* as of the last look */
  pid_t pid;     /* its forwarder, or 0 */
  int channel;   /* to it, or -1 */
  bool up;       /* it has said that it takes what comes */
  int64_t again; /* one that ended before it said so is not followed by another until then */
  void *line;    /* the balancer's, as long as there is a channel */
  int64_t later; /* it has just given a connection back: others are tried before it until then */
};

struct backends {
  const char *path;
  bool not_ready; /* pods that are not ready count, too */
  bool fallback;  /* they do while none is ready */
  struct backend *first;
  int64_t looked;   /* clock_ms() of the last look */
  int64_t stamp[4]; /* of the file that was read */
  unsigned turn;
};

/*
 * Reads the list where it is another one than before, "POD PORT" a line, and looks which pods serve. A list that is not there is
 * empty; one that cannot be read stays as it was. Backends that are listed no more stay in the chain for who has to part with them.
 */
void backends_look(struct backends *b, int run);
/* Takes one that is neither listed nor in use out of the chain. */
void backends_forget(struct backends *b);
void backends_free(struct backends *b);

/*
 * Who gets the next one, of those that are ready and up; `client` decides where it is given (the same one each time, as long as it is
 * ready: NULL while that one's forwarder comes up), else the turn. `except` is left out. NULL when there is none. Those that have just
 * refused come last.
 */
struct backend *backends_pick(struct backends *b, const struct address *client, const struct backend *except, int64_t now);
