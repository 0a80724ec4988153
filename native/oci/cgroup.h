/* A container's cgroup: made, limited, joined, asked, frozen, emptied, removed; by cgroupfs or by systemd, on cgroup v2, v1 and hybrid
 * machines. */
#pragma once
#include "resources.h"

struct oci_pair;
struct oci_spec;

enum oci_cgroup_manager { OCI_CGROUPFS, OCI_CGROUP_SYSTEMD, OCI_CGROUP_DISABLED };

/* What is remembered in the state file; all strings owned. */
struct oci_cgroup {
  enum oci_cgroup_manager manager;
  bool unified; /* the container's limits are on cgroup2 */
  char *path;   /* below each hierarchy's root ("/user.slice/…/libpod-ID.scope"); NULL: none was made, the container is in ours */
  char *scope;  /* systemd's transient scope, or NULL */
};

struct oci_cgroup_wish {
  enum oci_cgroup_manager manager;
  const char *id;
  const char *cgroups_path; /* linux.cgroupsPath or NULL; "slice:prefix:name" for systemd */
  const struct oci_resources *resources;
  bool rootless; /* not root of the initial user namespace: limits that cannot be set without delegation are errors, absent cgroups are not
                  */
  uint32_t owner_uid,
      owner_gid; /* of the host: who may make cgroups below (on cgroup2), where the container has one to write to; 0: root */
  const struct oci_pair *annotations; /* "org.systemd.property.NAME" are properties of the scope, by runc's custom */
  size_t n_annotations;
  bool rootless_own; /* --rootless=true|auto decided that a cgroup that cannot be made may be done without */
};

/* Of a configuration: annotations, and whom the folder is to belong to by runtime-spec, "Cgroup ownership". */
void oci_cgroup_wish_of(const struct oci_spec *spec, struct oci_cgroup_wish *wish);

/*
 * Before the container's process is there: makes the cgroup and sets its limits, where that can be done without a process (cgroupfs).
 * *ret_fd: of the cgroup2 folder for clone3's CLONE_INTO_CGROUP, or -1.
 */
int oci_cgroup_prepare(const struct oci_cgroup_wish *wish, struct oci_cgroup *ret, int *ret_fd, struct err *err);
/* Puts the process in (unless clone3 has done so) and does what needs one: systemd's scope over D-Bus, its limits, the device filter. */
int oci_cgroup_enter(const struct oci_cgroup_wish *wish, struct oci_cgroup *cg, pid_t pid, bool is_in, struct err *err);
/*
 * Another process, exec's. Moved into a cgroup, it waits for an RCU grace period, 10 ms as a rule, where nobody else has been moved just
 * before; so it is born there, by clone3(2)'s CLONE_INTO_CGROUP, as far as cgroup2 goes.
 */
struct oci_cgroup_guest {
  const char *sub; /* a path below the container's, or NULL */
  pid_t host;      /* the container's first process */
  bool is_in;      /* born in cgroup2's folder */
};
/*
 * cgroup2's folder to be born in, O_PATH; -1 where there is none, or nothing can be said. `lowest`: that of the container's first process,
 * for when the container has divided its cgroup: above, the kernel takes nobody (EBUSY).
 */
int oci_cgroup_birthplace(const struct oci_cgroup *cg, const struct oci_cgroup_guest *guest, bool lowest);
/* Moves the caller to where it was not born: to cgroup2's folder unless it is there, and in v1's hierarchies to where the host is. */
int oci_cgroup_join(const struct oci_cgroup *cg, const struct oci_cgroup_guest *guest, struct err *err);
/* Sets limits anew; what is unset stays. */
int oci_cgroup_update(const struct oci_cgroup *cg, const struct oci_resources *r, struct err *err);
int oci_cgroup_freeze(const struct oci_cgroup *cg, bool frozen, struct err *err);
bool oci_cgroup_is_frozen(const struct oci_cgroup *cg);
/* Every process, those of cgroups below too. A new array. */
int oci_cgroup_processes(const struct oci_cgroup *cg, pid_t **ret, size_t *ret_n, struct err *err);
/* Signals all of them; with SIGKILL until none is left (cgroup.kill where the kernel has it), at most 10 s. */
int oci_cgroup_kill(const struct oci_cgroup *cg, int number, struct err *err);
/* Ends systemd's scope, removes the folders. What is not there any more is no error. */
int oci_cgroup_remove(const struct oci_cgroup *cg, struct err *err);
/*
 * Removes what a maker that was killed before it could write the state has left: the folders of cgroupfs where oci_cgroup_prepare would
 * have made them, if nobody is in them. A scope of systemd goes by itself.
 */
void oci_cgroup_remove_remains(const struct oci_cgroup_wish *wish);
/* The object `data` of runc's `events --stats`. */
int oci_cgroup_stats(const struct oci_cgroup *cg, json_t **ret, struct err *err);
/* How often the kernel has killed for memory in it; 0 when that cannot be known. */
uint64_t oci_cgroup_oom_kills(const struct oci_cgroup *cg);
void oci_cgroup_free(struct oci_cgroup *cg);

/* For the state file. */
json_t *oci_cgroup_to_json(const struct oci_cgroup *cg);
int oci_cgroup_from_json(const json_t *tree, struct oci_cgroup *ret, struct err *err);
