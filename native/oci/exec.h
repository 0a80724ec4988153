/* podrt exec for OCI engines: what is asked for, and the two sides of carrying it out. */
#pragma once
#include "init.h"
#include "lib/environ.h"
#include "options.h"

/* What the command line says; lists are allocated. */
struct exec_words {
  const char *id, *file, *cwd, *user, *apparmor, *label, *cgroup, *preserve, *pid_file, *console_socket, *pidfd_socket;
  struct oci_words env, groups, caps;
  bool tty, no_new_privs, detach, ignore_paused;
  char **args; /* NULL-terminated; none with --process */
};
int exec_words_read(int argc, char **argv, struct exec_words *ret, struct err *err);
void exec_words_free(struct exec_words *w);

/* The process to be. */
struct exec_plan {
  struct oci_container container;
  struct oci_spec spec;        /* the container's */
  struct oci_process given;    /* of --process */
  json_t *tree;                /* owns given's strings */
  uint32_t *groups;            /* of spec's process, and the options' */
  struct oci_process process;  /* what holds: borrows from all of these */
  const char *const *more_env; /* the options', or NULL */
  bool keep_groups;            /* oci_keeps_groups */
  unsigned preserve;           /* descriptors that are passed on */
  const char *listen_fds;      /* LISTEN_FDS, or NULL */
  struct oci_filter filter;
};
/*
 * Of `exec --process` that file; else the container's own process as the options change it, like runc: --user alone leaves the group,
 * --cap adds, the terminal is there only by --tty. What a file leaves out of capabilities, labels and limits is the container's.
 */
int exec_plan_make(const struct oci_global *g, const struct exec_words *w, struct exec_plan *ret, struct err *err);
void exec_plan_free(struct exec_plan *plan);

/* The new process's side: from a child in the container's PID namespace to the command. */
struct exec_child {
  const struct exec_plan *plan;
  struct oci_cgroup_guest guest;
  int init;      /* pidfd of the container's first process */
  uint64_t join; /* CLONE_NEW… that are still to be joined */
  bool new_root; /* in a user namespace that is not the caller's: to become its root first */
  int sock;      /* the child's end of a SOCK_SEQPACKET pair */
  int payload;   /* payload_open's */
  bool other_formats;
};
/* Says OCI_TERMINAL, OCI_READY, and OCI_FAILED with its exit code; waits for OCI_GO before it executes. Never returns. */
void exec_child_main(struct exec_child *child) __attribute__((noreturn));

/* runc's code for an exec that cannot be; 126 and 127 where the command is why. */
enum { EXIT_EXEC = 255 };
