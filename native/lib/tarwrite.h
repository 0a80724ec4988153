/* A tar written entry by entry: ustar, with pax records (POSIX.1-2001, pax) for what ustar has no room for. Equal entries give equal bytes.
 */
#pragma once
#include <sys/stat.h>
#include <time.h>

#include "util.h"
#include "xattr.h"

struct tarwrite {
  int fd;
  uint64_t left, pad; /* of the content that is awaited, and what rounds it up */
  size_t len;
  uint8_t buffer[64 * 1024];
};

struct tarwrite_entry {
  const char *path, *link; /* link: of a symbolic link or a hard one, else NULL */
  char type;               /* ustar's: '0' file, '1' hard link, '2' symbolic link, '5' folder, '6' fifo */
  mode_t mode;
  uint32_t uid, gid;
  uint64_t size; /* of a file's content, which comes by tarwrite_data() */
  struct timespec mtime;
  const struct xattr *xattrs; /* as SCHILY.xattr.NAME, which the field's tars have; no name has a '=' */
};

void tarwrite_init(struct tarwrite *t, int fd);
int tarwrite_entry(struct tarwrite *t, const struct tarwrite_entry *e, struct err *err);
/* The next bytes of the last entry's content; all of them must come before anything else. */
int tarwrite_data(struct tarwrite *t, const void *bytes, size_t len, struct err *err);
/* The end mark; everything is handed on. */
int tarwrite_finish(struct tarwrite *t, struct err *err);
