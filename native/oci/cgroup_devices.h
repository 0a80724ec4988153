/* Which devices a container may make and use: v1's devices controller, and a BPF program on cgroup2. */
#pragma once
#include <linux/bpf.h>

#include "cgroup_set.h"
#include "resources.h"

/*
 * Sets the rules: none is allowed at first, then those of `r` in order, then the devices that the runtime-spec gives every container.
 * Rules that allow everything need no filter. `lenient`: a machine that does not let us is none of our errors (a user namespace's root can
 * neither make device nodes nor load such programs).
 */
int cg_devices(const struct cg_set *set, const struct oci_resources *r, bool lenient, struct err *err);

/* --- parts, pure --- */

/* The rules in effect: a new array, shortened to what is left after the last one about everything. *ret_all: everything is allowed. */
int cg_device_rules(const struct oci_resources *r, struct oci_device_rule **ret, size_t *ret_n, bool *ret_all);
/* A program of type BPF_PROG_TYPE_CGROUP_DEVICE for them. -ENOMEM, -E2BIG. */
int cg_device_program(const struct oci_device_rule *rules, size_t n, struct bpf_insn **ret, size_t *ret_n);
/* Some rule takes away a part of what another gave: v1's lists of exceptions cannot say that. */
bool cg_device_rules_cross(const struct oci_device_rule *rules, size_t n);
