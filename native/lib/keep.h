/*
 * What an infra leaves with systemd for the infra that follows it when it is killed: the service's file descriptor store
 * (sd_notify(3), FDSTORE=; systemd.service(5), FileDescriptorStoreMax=). systemd hands the descriptors back at the next
 * start of a unit that was not stopped, by name. So the pod's namespaces and the pipes of its containers outlive infra.
 */
#pragma once
#include "util.h"

/* Letters, digits and dashes; the name of several descriptors at once is no use here. */
#define KEEP_NAME_MAX 64

/* One descriptor, which stays the caller's, under a name. Not polled by systemd: the end of a pipe must not take what is still in it. */
int keep_store(const char *name, int fd);
int keep_forget(const char *name);

/* What systemd handed back; the descriptors from 3 up, in this order. */
struct kept {
  size_t n;
  struct kept_item {
    char name[KEEP_NAME_MAX];
    int fd; /* -1: taken */
  } * item;
};

/*
 * Reads LISTEN_FDS and LISTEN_FDNAMES, which stay in the environment for a program executed from here. `mine`: only if they are
 * meant for this very process (LISTEN_PID). Names that are not ours have an empty name. Free with kept_free, which closes nothing.
 */
int kept_read(bool mine, struct kept *ret);
void kept_free(struct kept *kept);
/* Takes the descriptor of that name out, or -1; it is then close-on-exec. */
int kept_take(struct kept *kept, const char *name);
