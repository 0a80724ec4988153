/* Where a container's own failure to start is told: see complain.h. */
#include "complain.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "journal.h"
#include "ownunit.h"

enum { JOURNAL_MS = 1000 };

/* systemd.exec(5), $JOURNAL_STREAM: device and inode of the stream, to be compared with what standard error is. */
static bool stderr_is_journal(void) {
  const char *stream = getenv("JOURNAL_STREAM");
  unsigned long long dev, ino;
  struct stat st;
  return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

/* Fields are one line each: a line feed within would begin another (JOURNAL_NATIVE_PROTOCOL). */
static void flatten(char *text) {
  for (char *p = text; *p; p++)
    if (*p == '\n') *p = ' ';
}

static bool send_entry(const char *text, int priority, const char *unit, const char *identifier) {
  cleanup_free char *fields = xformat("USER_UNIT=%s\nSYSLOG_IDENTIFIER=%s\nPRIORITY=%d\nMESSAGE=%s\n", unit, identifier, priority, text);
  if (!fields) return false;
  const struct iovec iov = {.iov_base = fields, .iov_len = strlen(fields)};
  struct journal j = {.fd = -1, .path = JOURNAL_SOCKET};
  int r = journal_send(&j, &iov, 1);
  if (r == -EAGAIN) {
    struct pollfd p = {.fd = j.fd, .events = POLLOUT};
    if (poll(&p, 1, JOURNAL_MS) == 1) r = journal_send(&j, &iov, 1);
  }
  journal_close(&j);
  return r == 0;
}

static void tell(char *text, int priority, const char *unit, const char *identifier) {
  cleanup_free char *own = unit || !stderr_is_journal() ? NULL : own_unit();
  if (!text) return;
  flatten(text);
  if (!unit) unit = own;
  if (!identifier) identifier = "podrt";
  if (!unit || !stderr_is_journal() || !send_entry(text, priority, unit, identifier)) fprintf(stderr, "%s\n", text);
}

static const char *reason(const struct err *err) {
  return err->code ? strerror(err->code) : "";
}

void complain(const struct err *err, const char *verb, const char *unit, const char *identifier) {
  cleanup_free char *text =
      xformat("podrt: %s: %s%s%s%s%s", verb, err->step, err->what[0] ? ": " : "", err->what, err->code ? ": " : "", reason(err));
  tell(text, 3, unit, identifier);
}

void complain_warning(const struct err *err, const char *verb, const char *unit, const char *identifier, const char *then) {
  cleanup_free char *text = xformat("podrt: %s: warning: %s%s%s%s%s; %s", verb, err->step, err->what[0] ? ": " : "", err->what,
                                    err->code ? ": " : "", reason(err), then);
  tell(text, 4, unit, identifier);
}

void complain_as(int priority, const char *line, const char *unit, const char *identifier) {
  cleanup_free char *text = strdup(line);
  tell(text, priority, unit, identifier);
}

void complain_line(int priority, const char *line) {
  complain_as(priority, line, NULL, NULL);
}
