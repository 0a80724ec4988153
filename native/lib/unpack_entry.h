/* What unpack.c and unpack_entry.c share: one run of unpack_layer. */
#pragma once
#include <archive.h>
#include <archive_entry.h>

#include "folders.h"
#include "idmap.h"
#include "tree.h"
#include "unpack.h"

struct unpack {
  const struct unpack_options *options;
  struct unpack_result *result;
  struct stream *stream;
  struct archive *archive;
  struct tree tree;
  struct folders folders;
  struct idmap uids, gids;
  bool single, squashed; /* one id only; and that it has been told */
  size_t last;           /* bytes of the stream so far, modulo a tar's blocks */
  bool between;          /* all content of an entry was taken: what comes until the next is padding */
  int stream_error;
  struct err stream_err;
  /* Of the present entry. */
  struct archive_entry *entry;
  const char *path;  /* its cleaned name */
  const char *shown; /* the same for messages */
  mode_t mode;
  uid_t uid;
  gid_t gid;
  struct timespec times[2];
};

/* Tells of what could not be kept. */
void unpack_warn(struct unpack *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same of an attribute; fits folders_finish. */
void unpack_warn_xattr(void *u, const char *path, const char *xattr, int code);
/* What libarchive said, or what broke below it: sets err, returns -errno. */
int unpack_archive_fail(struct unpack *u, struct err *err);
/* Makes the present entry at a cleaned name that is no whiteout; "" is the root. */
int unpack_entry(struct unpack *u, const char *path, struct err *err);
