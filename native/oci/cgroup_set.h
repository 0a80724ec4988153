/* The folders of one container's cgroup, one in each hierarchy, and small reads and writes in them. */
#pragma once
#include "cgroup_layout.h"

struct cg_set {
  const struct cg_layout *l;
  char *path;
  int *dir; /* O_PATH, opened when it is first asked for: CG_UNSEEN until then; -1: there is none */
};
enum { CG_UNSEEN = -2 };

/* What is there, or may be: costs nothing before it is used. */
int cg_set_open(const char *path, struct cg_set *ret, struct err *err);
/*
 * Makes them and, on cgroup2, enables controllers on the way down: `needs` (bits) wherever it takes, the rest where the folder above has
 * them. `only_v2`: in cgroup2's hierarchy alone. `lenient`: hierarchies that are not ours to write to are left out, unless it is all of
 * them. -EBUSY when there are processes in it already.
 */
int cg_set_make(const char *path, unsigned needs, bool only_v2, bool lenient, struct cg_set *ret, struct err *err);
/* Opens what systemd has made, and makes in v1's other hierarchies what is missing there. */
int cg_set_join(const char *path, unsigned needs, bool lenient, struct cg_set *ret, struct err *err);
void cg_set_close(struct cg_set *set);
/* Removes the folders and those below. Waits a moment for processes that are just ending. */
int cg_set_remove(const struct cg_set *set, struct err *err);
/* Gives cgroup2's folder to another user, as far as that delegates no limits: /sys/kernel/cgroup/delegate, cgroups(7). */
int cg_set_chown(const struct cg_set *set, uid_t uid, gid_t gid, struct err *err);
/* As if there were none in that hierarchy. */
void cg_set_leave_out(struct cg_set *set, size_t hierarchy);
/* Puts a process in, all hierarchies but cgroup2's where `is_in`. `sub`: a path below, or NULL. */
int cg_set_enter(const struct cg_set *set, const char *sub, pid_t pid, bool is_in, struct err *err);

/* The folder in which a controller is, v1's when it has one. -1: nowhere. *ret_v2 tells which files it has. */
int cg_dir(const struct cg_set *set, enum cg_controller c, bool *ret_v2);
/* The folder in a hierarchy. */
int cg_dir_at(const struct cg_set *set, size_t hierarchy);
/* cgroup2's folder, or -1. */
int cg_dir_v2(const struct cg_set *set);

/* One write(2), which is what these files want. Negative errno. */
int cg_write(int dir, const char *file, const char *text);
/* What is in a file, or -errno. Its end is cut off beyond `size`. */
int cg_read(int dir, const char *file, char *buf, size_t size);
/* A number in a file ("max": UINT64_MAX), or the one behind `key` in a file of lines "KEY NUMBER". False where it is not there. */
bool cg_read_number(int dir, const char *file, const char *key, uint64_t *ret);
