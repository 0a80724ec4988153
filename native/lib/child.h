/* The container's side of a start: from its fresh namespaces to the payload. */
#pragma once
#include "addresses.h"
#include "bundle.h"
#include "service.h"

/* What the two sides say to each other over a SOCK_SEQPACKET pair. */
struct child_report {
  int32_t exit_code; /* 0: ready, and waits for a byte to go on; else the start has failed */
  bool unsupported;  /* overlay does not work here: another driver may */
  struct err err;    /* of a failure */
};                   /* with it, for a terminal: its master, by SCM_RIGHTS */

struct child {
  const struct bundle *bundle;
  const struct service *service;
  int infra;                 /* its pidfd */
  enum rootfs_driver driver; /* not ROOTFS_AUTO */
  int sock;                  /* to the parent */
  int in;                    /* standard input, or -1: nothing to be read */
  int out, err_fd;           /* write ends for stdout and stderr; -1 with a terminal, and where nobody reads */
};

/* Runs in the new process; does not return. The parent's death, seen as the end of `sock`, ends it before the payload runs. */
void child_main(struct child *child) __attribute__((noreturn));

/* The parent's half: the next report, within `ms`. *ret_master: the terminal, or -1. -ETIMEDOUT, -ECONNRESET when the child is gone. */
int child_receive(int sock, int ms, struct child_report *ret, int *ret_master);
/* Lets the child execute; it is told the addresses. */
int child_release(int sock, const struct address_pair *addresses);
