/*
 * What of systemd's protocol for services a payload takes part in, where its bundle asks for it: it says itself when it is ready
 * (sd_notify(3)) and alive (sd_watchdog_enabled(3)), and has its listening sockets from systemd (sd_listen_fds(3)).
 */
#pragma once
#include "bundle.h"
#include "environ.h"

/* Where the manager's socket is in a container, and so its NOTIFY_SOCKET. */
#define SERVICE_NOTIFY_PATH "/run/podgen/notify"

struct service {
  int n_fds; /* sockets, from descriptor 3 on */
};

/*
 * In the unit's own process: takes what systemd has passed, or refuses what is not there though the bundle wants it. The sockets close
 * at exec until service_pass(). -ENOENT without them, -EDESTADDRREQ without a notification socket that a path leads to.
 */
int service_take(const struct bundle *b, struct service *ret, struct err *err);
/*
 * NOTIFY_SOCKET, WATCHDOG_USEC and LISTEN_* for the payload, in place of what the bundle may say of them. WATCHDOG_PID is left out: without
 * it any process of the container may be meant, and ours would be a number of another PID namespace.
 */
int service_environment(const struct bundle *b, const struct service *s, struct environment *env, struct err *err);
/*
 * Binds the manager's socket into the container whose root is `root`, read-only, so that the container's root, who owns it, cannot take
 * it from other units by a change of its mode. For a `uid` other than its owner's it is made writable, which opens it to nobody else: the
 * folder it is in is the user's alone, and by whom a message counts is NotifyAccess='s matter.
 */
int service_mount(const struct bundle *b, int root, uint32_t uid, struct err *err);
/* Lets the sockets through the exec that comes next, and nothing else. */
int service_pass(const struct service *s, struct err *err);
