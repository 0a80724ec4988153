/* From the field's seccomp profile (containers-common, JSON) to a BPF program; used at build and, for unusual capability sets, at start. */
#pragma once
#include <linux/filter.h>

#include "util.h"

/* Capabilities that the profile's rules ask for. Sets that agree in them have the same program. */
#define SECCOMP_CAPS_MAX 64

/*
 * Compiles the profile for this machine's architecture (and its subarchitectures) and for processes bounded by `caps`
 * (bit mask). *ret is a new array of *ret_n instructions. Rules for system calls libseccomp does not know are left out, as
 * all runtimes do: the default action holds for those.
 */
int seccomp_profile_compile(const char *json, size_t len, uint64_t caps, struct sock_filter **ret, size_t *ret_n, struct err *err);

/*
 * The profile as linux.seccomp of the runtime-spec (oci_seccomp.h), for this machine and processes bounded by `caps`: rules whose
 * `includes` and `excludes` do not hold are left out, archMap becomes architectures. A new reference; NULL when out of memory.
 */
struct json_t *seccomp_profile_resolve(struct json_t *profile, uint64_t caps);

/* The capabilities that any rule of the profile mentions. */
int seccomp_profile_caps(const char *json, size_t len, uint64_t *ret, struct err *err);
