/* The vocabulary of podrt: cleanup attributes, the error struct, small helpers. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/*
 * How library code fails: it returns a negative errno and fills `err` with the step that failed.
 * It never logs and never exits; the verb's main prints the error once.
 */
struct err {
  int code;       /* positive errno; 0 when the text says it all */
  char step[32];  /* which step: "setns", "mount", "overlay" */
  char what[512]; /* on what: a path, a name; may be empty */
};

/* Fills err and returns -code, so that callers can `return err_set(...)`. `fmt` names what the step was done on. */
int err_set(struct err *err, int code, const char *step, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Prints `podrt: VERB: STEP: WHAT: strerror` to stderr, one line. */
void err_print(const struct err *err, const char *verb);

static inline void cleanup_fd_p(int *fd) {
  if (*fd >= 0) {
    int saved = errno;
    close(*fd);
    errno = saved;
  }
}
static inline void cleanup_free_p(void *p) {
  void **pp = p;
  free(*pp);
}
static inline void cleanup_file_p(FILE **f) {
  if (*f) fclose(*f);
}
#define cleanup_fd __attribute__((cleanup(cleanup_fd_p)))
#define cleanup_free __attribute__((cleanup(cleanup_free_p)))
#define cleanup_file __attribute__((cleanup(cleanup_file_p)))

/* Gives a descriptor away: the variable no longer owns it. */
static inline int steal_fd(int *fd) {
  int r = *fd;
  *fd = -1;
  return r;
}

/* Formats into a new string; NULL when out of memory. */
char *xformat(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Reads a whole small file relative to dirfd (or AT_FDCWD) into a NUL-terminated buffer, at most `limit` bytes (-EFBIG beyond). */
int read_file_at(int dirfd, const char *path, size_t limit, char **ret, size_t *ret_len);
/* Writes a file by temporary name and rename, in the same folder; mode as given. No fsync: for the runtime folder. */
int write_file_atomic_at(int dirfd, const char *path, const void *bytes, size_t len, mode_t mode);
/* Writes all bytes or fails. */
int write_all(int fd, const void *bytes, size_t len);
