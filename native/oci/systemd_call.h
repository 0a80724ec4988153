/* Calls to systemd's manager about one unit, and the jobs they start: the machine's systemd for root, else the user's own. */
#pragma once
#include "lib/dbus.h"

struct systemd {
  struct dbus bus;
  int64_t deadline;
  char unit[256];
  char job[128], result[32];  /* of the last job of our unit that ended */
  char error[96], words[320]; /* what an answer says that is an error */
};

/* Connects, at most 30 s from now for all that follows. To be closed by dbus_close(&s->bus). */
int systemd_open(struct systemd *s, const char *unit, struct err *err);
/* A method of the manager. -EREMOTEIO: the answer is an error, told in s->error and s->words. *ret_job: the object path that it answers. */
int systemd_call(struct systemd *s, const char *member, const char *signature, const struct dbus_out *body, char *ret_job, size_t size);
/* Waits until the job has ended, with s->result. */
int systemd_await(struct systemd *s, const char *job);
/* A unit that failed is forgotten: its name is free again. */
int systemd_forget(struct systemd *s);
/* What went wrong, in words: systemd's own for -EREMOTEIO. */
int systemd_fail(const struct systemd *s, int r, const char *what, struct err *err);
