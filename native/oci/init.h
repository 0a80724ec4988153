/* The container's side of its making: what the first process does from clone to exec. */
#pragma once
#include "mounts.h"
#include "process.h"
#include "state.h"

/* What parent and child need of each other, over a SOCK_SEQPACKET pair. The letters are messages of the child, but for OCI_GO. */
enum oci_message {
  OCI_GO = 'g',        /* parent: go on */
  OCI_MAKER_PID = 'p', /* from a process between the two: here is the container's pid */
  OCI_CLONE = 'c', /* the source of mount `number` is to be cloned in the host's mount namespace; OCI_GO brings it, or `number`, an errno */
  OCI_HOOKS = 'h', /* the namespaces are there: run prestart and createRuntime */
  OCI_TERMINAL = 't', /* the terminal's master, by SCM_RIGHTS */
  OCI_READY = 'r',    /* all is done but for what comes at start; `number` is seccomp's listener in the child, or -1. OCI_GO answers it
                         when the state is saved (create) or the payload shall start (run) */
  OCI_FAILED = 'f',   /* err and exit_code say why; the process ends */
};
struct oci_report {
  enum oci_message message;
  int number, exit_code;
  struct err err;
};

struct oci_init {
  const struct oci_spec *spec;
  struct oci_mounts mounts;
  const struct oci_filter *filter;
  const struct oci_container *container; /* for the state that hooks are given */
  int sock;                              /* the child's end */
  int listen;                            /* start.sock, or -1: released by the parent (run) */
  int host[3];                           /* the maker's own descriptors of the host, or -1: the first thing that the child closes */
  bool map_own;                          /* the id map is a line of its own that the child may write itself */
  bool wait_mapped;                      /* the parent does something before the child may begin: maps, cgroup */
  uint64_t joined;                       /* CLONE_NEW… of namespaces that were joined by path before */
  bool cgroup_made;                      /* clone3 has made the cgroup namespace where it belongs */
  bool terminal;                         /* a terminal is asked for */
  bool keep_keyring;
  bool rootless;
  bool keep_groups; /* the maker's supplementary groups stay */
  unsigned preserve;
  const char *listen_fds; /* LISTEN_FDS that is handed through, or NULL */
};

/* Never returns. */
void oci_init_main(struct oci_init *init) __attribute__((noreturn));

/* Sends a report, with a descriptor unless it is -1; by write(2) where it has none, which a filter lets through rather than sendmsg(2). */
int oci_report_send(int sock, const struct oci_report *report, int fd);
/* Waits for one; -ECONNRESET when the other side is gone. *ret_fd: its descriptor, or -1. */
int oci_report_receive(int sock, struct oci_report *ret, int *ret_fd);
