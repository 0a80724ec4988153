/* Handing a container's output over to its pod's infra process, which relays it to the journal. */
#pragma once
#include "util.h"

/*
 * What infra puts before every line of a container: journal fields in the native protocol's form
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL), built by the sender so that infra need not read JSON.
 * unit: USER_UNIT; identifier: SYSLOG_IDENTIFIER; fields_json: the annotation io.podgen.log-fields (a JSON object of
 * strings, or NULL). Returns a new buffer. -EINVAL for a name journald would refuse or that relay sets itself, -E2BIG
 * beyond RELAY_FIELDS_MAX.
 */
int relay_fields_pack(const char *unit, const char *identifier, const char *fields_json, char **ret, size_t *ret_len, struct err *err);

/*
 * Gives the read ends of stdout and stderr, or a pty's master, to the infra whose run folder is `infra_dir`, and waits
 * until infra says that it has them: from then on the caller may close its copies and exit. Descriptors that do not
 * apply are -1 (a pty: out and err -1; stdout alone is fine too). The descriptors stay the caller's.
 * Must be called before the caller leaves its mount namespace, and by the user who runs infra. Deadline: 10 s in all, also for
 * infra's socket to appear. -ETIMEDOUT, -ECONNREFUSED (infra is gone), -EINVAL (fields).
 */
int relay_hand_over(int infra_dir, int out_fd, int err_fd, int tty_fd, const char *unit, const char *identifier, const char *fields_json,
                    struct err *err);

/*
 * Asks infra to keep the last lines of this unit's container (tail.h), from its next streams on; and, at its end, for them: all that is in
 * the pipes by then counts. -EINVAL: infra is of an earlier podgen; -ENOENT: nobody asked it to keep any.
 */
int relay_tail_begin(int infra_dir, const char *unit, struct err *err);
int relay_tail_ask(int infra_dir, const char *unit, char *ret, size_t size, size_t *ret_len, struct err *err);

/* Infra holds this end of a standard input (held.h), until it is told to let go of it. The descriptor stays the caller's. */
int relay_stdin_hold(int infra_dir, const char *unit, int fd, struct err *err);
int relay_stdin_drop(int infra_dir, const char *unit, struct err *err);

/* --- the wire, shared with the receiving side --- */

#define RELAY_SOCKET "log.sock"
#define RELAY_FIELDS_MAX (8 * 1024)
#define RELAY_STREAMS 3 /* at most (FDMSG_MAX): stdout, stderr, tty; descriptors come in this order */
enum relay_stream { RELAY_OUT = 1, RELAY_ERR = 2, RELAY_TTY = 4 };
/* In place of streams, with the first field alone: the functions of these names. The lines follow the answer; HOLD has a descriptor. */
enum relay_request { RELAY_TAIL_BEGIN = 1 << 8, RELAY_TAIL_ASK = 1 << 9, RELAY_STDIN_HOLD = 1 << 10, RELAY_STDIN_DROP = 1 << 11 };

/* One SOCK_SEQPACKET message: this header, then the packed fields; with it the descriptors named by `streams`. Answer: int32, 0 or -errno.
 */
struct relay_header {
  uint32_t version; /* RELAY_VERSION */
  uint32_t streams; /* enum relay_stream */
};
#define RELAY_VERSION 1
