/* The user's subordinate ids: all lines of /etc/subuid or /etc/subgid that are the user's, as extents of an id map. */
#pragma once
#include "util.h"

#define SUBID_MAX 100 /* lines taken; the kernel takes 340 extents, user_namespaces(7) */

struct subid_range {
  uint32_t first, count;
};
struct subid {
  struct subid_range range[SUBID_MAX];
  size_t n;
};

/* The login name of a uid by /etc/passwd; the uid in digits where it has no line there. No NSS: podrt is static. */
void subid_user_name(uid_t uid, char ret[64]);

/*
 * Reads the ranges of a user, named by login name or number (subuid(5)), sorted; lines that are malformed, overlap an
 * earlier one or hold `own`, the id that becomes root, are left out, because the kernel would refuse the whole map.
 * A file that is not there has no ranges; -errno when it cannot be read.
 */
int subid_read(const char *file, const char *name, uid_t uid, uint32_t own, struct subid *ret);

/* 100000, or the first multiple of 65536 above everybody's ranges in both files: what to suggest to usermod. */
uint32_t subid_first_free(const char *subuid, const char *subgid);
