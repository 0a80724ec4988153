/* The user namespace: made once by pause with newuidmap/newgidmap, joined by everybody else. */
#pragma once
#include "util.h"

/* How much of /etc/subuid and /etc/subgid was found; `single` when only the own id could be mapped. */
struct userns_map {
  bool single;
  char reason[384]; /* why single, and how to mend it; for a warning */
};

/* What comes after more ids were given: while a pod runs, pause takes the pod's namespace over, whose map stays. */
#define USERNS_THEN "; then stop all pods and restart podgen-pause.service"

/*
 * Moves the calling (single-threaded) process into a new user namespace with the user's subordinate ids. newuidmap and newgidmap, if
 * they fail though they could work, are tried again until `deadline` (clock_ms; 0: once).
 */
int userns_make(int64_t deadline, struct userns_map *ret, struct err *err);
/* Opens the living pause process (RUN/pause.pid) as a pidfd; -ESRCH when there is none. */
int userns_open_pause(int run, struct err *err);
/* Moves the calling (single-threaded) process into the user namespace of `pidfd`'s process and makes it root there; as userns_enter() ends.
 */
int userns_join(int pidfd, struct userns_map *ret, struct err *err);
/* Joins pause's user namespace when it lives, else makes a fresh one; the process is root in it afterwards (setresuid/gid 0, no groups). */
int userns_enter(struct userns_map *ret, struct err *err);
