/* Capability sets as bit masks (capabilities(7)) and putting them on. */
#pragma once
#include "util.h"

struct cap_sets {
  uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* The number of `CAP_CHOWN`; -EINVAL for a name that is none (OCI runtime-spec: unknown capabilities are an error). */
int cap_number(const char *name);
/* "CHOWN"; NULL from the first number on that has no name. */
const char *cap_name(unsigned number);

/*
 * Takes all but `bounding` out of the bounding set. The caller has CAP_SETPCAP. Capabilities that this kernel does not
 * know are dropped already.
 */
int caps_bound(uint64_t bounding, struct err *err);

/*
 * Sets permitted, effective, inheritable and ambient; to be called as the payload's user, with the old permitted set kept
 * (PR_SET_KEEPCAPS). Ambient ones must be permitted and inheritable, so they are added there. Sets the kernel would give anyway to a
 * root payload at exec follow from the bounding set.
 */
int caps_apply(const struct cap_sets *sets, struct err *err);
