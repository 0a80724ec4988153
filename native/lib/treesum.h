/* A digest of everything about an unpacked layer but what is in its files: names, types, owners, modes, times, links, attributes. */
#pragma once
#include "util.h"

/*
 * "sha256:…" (72 bytes) of the folder `root` and all below, and how many things those are. Ids are those of the user namespace we are in.
 * Equal trees have equal digests whatever the order on disk; a file whose content was changed by the usual means has another time or size.
 * Attributes count that a layer may have (xattr.h) and overlay's own; others are the host's. -ELOOP for folders deeper than 900.
 * `aufs` (may be NULL): whether there are whiteouts as aufs and archives spell them, ".wh.NAME", which mean nothing to overlay.
 */
int treesum(int root, char digest[72], uint64_t *entries, bool *aufs, struct err *err);
