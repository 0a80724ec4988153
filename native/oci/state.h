/* The state of OCI containers: ROOT/ID/state.json, config.json and start.sock; and the `state` object that engines and hooks read. */
#pragma once
#include <jansson.h>

#include "cgroup.h"
#include "lib/proc.h"
#include "options.h"
#include "spec.h"

/* In ROOT/ID while the container is created and not started: its init listens there. */
#define OCI_START_SOCKET "start.sock"

enum oci_status { OCI_CREATING, OCI_CREATED, OCI_RUNNING, OCI_PAUSED, OCI_STOPPED };

struct oci_container {
  char id[1025];
  int dir;             /* ROOT/ID */
  bool locked;         /* by us */
  char *bundle;        /* absolute */
  struct proc_id proc; /* pid 0: none yet */
  bool has_process;
  char *created; /* RFC 3339 */
  char *rootfs;  /* absolute path of the root */
  uint32_t owner;
  struct oci_cgroup cgroup;
};

/*
 * The folder of all containers, made 0700 if it is not there: `root` or the default, $XDG_RUNTIME_DIR/podrt, /run/podrt for root. -ENOENT
 * alone means that there is none; one that belongs to somebody else, or that everybody may write to, is an error.
 */
int oci_root_open(const char *root, bool create, struct err *err);
/* Letters, digits, and of "_+-." at most 1024, not "." or "..": the name of a folder of ours. */
bool oci_id_valid(const char *id);
/* Makes ROOT/ID; -EEXIST with words when there is one. */
int oci_container_make(int root, const char *id, struct oci_container *ret, struct err *err);
/* Opens an existing one; -ENOENT with `container "ID" does not exist`. `root` may be an error of oci_root_open, which it then returns. */
int oci_container_open(int root, const char *id, struct oci_container *ret, struct err *err);
/* Reads the state again, once the lock is held; -ENOENT when the folder is not the container's any more. */
int oci_container_reload(int root, struct oci_container *c, struct err *err);
int oci_container_save(const struct oci_container *c, struct err *err);
/* The truth of now, from the process and the cgroup. */
enum oci_status oci_container_status(const struct oci_container *c);
const char *oci_status_name(enum oci_status status);
/* The runtime-spec's state object, annotations by config.json; a new reference. `status` as the caller says. */
json_t *oci_container_state(const struct oci_container *c, const struct oci_spec *spec, enum oci_status status);
/* A copy of the configuration that was made with it. */
int oci_container_spec(const struct oci_container *c, struct oci_spec *ret, struct err *err);
/* The same, of state.json's text into a container that has its id. For tests, and for the fuzzer. */
int oci_container_parse(const char *text, size_t len, struct oci_container *c, struct err *err);
/* Held by create, start and delete until their process ends: -EWOULDBLOCK while somebody else's is at work. */
int oci_container_lock(struct oci_container *c);
/* In a user namespace that is not the machine's first. */
bool oci_in_userns(void);
/* Now, by RFC 3339, with nanoseconds. */
void oci_time(char ret[40]);
/* Removes ROOT/ID, if that is still this container. */
int oci_container_remove(int root, struct oci_container *c, struct err *err);
void oci_container_free(struct oci_container *c);
