/* SELinux, as far as a runtime has to know of it: is it there, and the labels that a process sets for itself. */
#pragma once
#include "spec.h"

/* selinuxfs is at its place and a policy is loaded: before that the kernel takes any label for its own, without a word. */
bool oci_selinux_enabled(void);
/* In the maker, before anything is made. A process that would run unconfined by a label that means nothing here is refused. */
int oci_selinux_check(const struct oci_process *p, struct err *err);
/* linux.mountLabel, where SELinux is there to know it; else NULL. */
const char *oci_mount_label(const struct oci_spec *spec);
/*
 * The payload's memfd (lib/payload.h) is what enters the container's domain: it gets the label that the files of its root have, which every
 * policy for containers has as an entry point. Where that may not be, its own label may do: execve(2) has the last word.
 */
void oci_selinux_payload(const struct oci_spec *spec, const struct oci_process *p, int payload);
/* What a failed exec of the payload has to do with a label: the policy lets nobody become it that way. Returns what is in *err. */
int oci_selinux_explain(const struct oci_process *p, struct err *err);
