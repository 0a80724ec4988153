/* For the tests of oci/seccomp*.c: a profile out of its text. */
#pragma once
#include <jansson.h>

#include "lib/jsonload.h"
#include "lib/oci_seccomp.h"

static inline int parse(const char *text, json_t **tree, struct oci_seccomp *ret, struct err *err) {
  *tree = json_load(text, strlen(text), NULL);
  if (!*tree) fprintf(stderr, "no JSON: %s\n", text);
  return oci_seccomp_parse(*tree, "linux.seccomp", ret, err);
}

/* One rule, besides which all is allowed. */
#define RULE(rest) "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{" rest "}]}"
