/* A container's namespaces and id maps. */
#pragma once
#include "spec.h"

/* The CLONE_NEW… of all namespaces that are to be made new. */
uint64_t oci_ns_new(const struct oci_spec *spec);
/* Is there one to be joined by path? */
bool oci_ns_paths(const struct oci_spec *spec);
/*
 * Joins those by path, the user namespace first, the PID namespace for children only. What the kernel refuses because a user namespace of
 * the container's own is still to be made is left for the next time: *joined says what is done.
 */
int oci_ns_join(const struct oci_spec *spec, uint64_t *joined, bool last, struct err *err);

/* One id, the caller's own: the kernel lets a process write that itself (user_namespaces(7)). */
bool oci_map_is_own(const struct oci_spec *spec, uint32_t uid, uint32_t gid);
/* Writes it for the calling process, which is in its new user namespace. */
int oci_map_own(const struct oci_spec *spec, struct err *err);
/* Writes the maps of `pid`: directly where the caller may, else by newuidmap and newgidmap. */
int oci_map_write(const struct oci_spec *spec, pid_t pid, struct err *err);

/* In the container, whose loopback device a new network namespace has down. Best effort. */
void oci_loopback_up(void);
/* A new time namespace with its offsets; the caller is in it then. */
int oci_time_namespace(const struct oci_spec *spec, struct err *err);
/* In the container's user namespace, to whose root belongs what is made there. Nothing is done where 0 is not mapped. */
int oci_ns_become_root(const struct oci_spec *spec, bool keep_groups, struct err *err);
