/* The device program of a cgroup2 folder. */
#pragma once
#include <linux/bpf.h>

#include "lib/util.h"

/*
 * Loads the program and attaches it in place of the one that we attached before; other people's programs stay (all must allow). Without
 * `code` ours is taken away. `dir`: the folder, O_PATH.
 */
int cg_bpf_replace(int dir, const struct bpf_insn *code, size_t n, struct err *err);
