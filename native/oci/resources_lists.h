/* The lists within linux.resources, each read into its array of struct oci_resources. `object` is what holds the list, at JSON path `at`.
 */
#pragma once
#include "lib/jsonget.h"
#include "resources.h"

/* A number that may be beyond 2^63-1, as Go writes "no limit" in an uint64: as large as can be, then. */
int oci_resources_huge(const json_t *object, const char *at, const char *key, int64_t *ret, struct err *err);

/* blockIO: weightDevice, throttle...Device. */
int oci_resources_block(const json_t *object, const char *at, struct oci_resources *ret, struct err *err);
/* network.priorities */
int oci_resources_priorities(const json_t *object, const char *at, struct oci_resources *ret, struct err *err);
int oci_resources_devices(const json_t *object, const char *at, struct oci_resources *ret, struct err *err);
/* hugepageLimits */
int oci_resources_huge_pages(const json_t *object, const char *at, struct oci_resources *ret, struct err *err);
int oci_resources_rdma(const json_t *object, const char *at, struct oci_resources *ret, struct err *err);
/* Names of files of a cgroup2 folder: without a slash, CONTROLLER.PARAMETER, and not those that move or end processes. */
int oci_resources_unified(const json_t *object, const char *at, struct oci_resources *ret, struct err *err);
