/* The maker's side of an OCI container: from a bundle to a process that waits to be started. */
#pragma once
#include "init.h"
#include "options.h"

struct oci_make_wish {
  const struct oci_global *global;
  const char *id;
  const char *bundle;         /* folder; NULL: the working folder */
  const char *config;         /* the file's name, NULL: config.json in the bundle */
  const char *console_socket; /* or NULL */
  const char *pid_file;       /* or NULL */
  unsigned preserve;          /* descriptors that are passed on, and LISTEN_FDS or NULL: passed.h */
  const char *listen_fds;
  bool no_pivot, keep_keyring;
  bool attached; /* run: released by us, not by start.sock; and a terminal without a console socket is kept */
};

struct oci_made {
  struct oci_container container;
  struct oci_spec spec;
  int root, sock; /* the folder of all containers; our end of the pair, while attached */
  int master;     /* the terminal, kept for us, or -1 */
  int pidfd;
};

/*
 * Makes it, and leaves its state behind. On failure nothing of it is left: process, cgroup, folder; hooks poststop have run where
 * others had. *ret_exit: what `run` exits with then.
 */
int oci_make(const struct oci_make_wish *wish, struct oci_made *ret, int *ret_exit, struct err *err);
void oci_made_free(struct oci_made *made);
/* Runs hooks with the container's state; as oci_hooks_run. */
int oci_run_hooks(const struct oci_container *c, const struct oci_spec *spec, enum oci_hook_point point, enum oci_status status,
                  struct err *err);
/* After the container's end, or to end it: kills what is left, runs poststop, removes cgroup and folder. */
int oci_unmake(int root, struct oci_container *c, const struct oci_spec *spec, struct err *err);
/* Does an annotation of podman's ask for the caller's own supplementary groups? */
bool oci_keeps_groups(const struct oci_spec *spec);
/* Writes a pid file, whole or not at all. */
int oci_pid_file(const char *path, pid_t pid, struct err *err);
