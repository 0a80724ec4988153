/* How far a pod is that another one waits for, by what is in its run folder. */
#pragma once
#include "proc.h"

enum condition {
  CONDITION_STARTED,   /* every container that counts runs, or has been ready or ended with success */
  CONDITION_READY,     /* all are ready, or have ended with success */
  CONDITION_COMPLETED, /* all have ended with success */
};

/* False for what is none of the three words. */
bool condition_parse(const char *word, enum condition *ret);
const char *condition_word(enum condition condition);

enum pod_state {
  POD_ABSENT, /* neither starting nor up */
  POD_BEHIND, /* not that far yet */
  POD_THERE,  /* as wanted */
};

/*
 * `pod` is the run folder ("pods/db"). Where it is behind, *ret_watch is the descriptor of the folder in which something is missing,
 * else -1. Never fails: what cannot be read is not there yet.
 */
enum pod_state condition_look(int run, const char *pod, enum condition condition, int *ret_watch);

/*
 * Whether a Service's connections may go there now: every container that counts is ready, and its process lives, and none is
 * about to stop (drain.h). `not_ready`: it is enough that the pod has namespaces, and that.
 */
bool condition_serves(int run, const char *pod, bool not_ready);
