/* Unpacks one image layer into a fresh folder, inside the user namespace. libarchive reads, every write is ours. */
#pragma once
#include "recipe.h"
#include "stream.h"
#include "tarpath.h"

struct unpack_options {
  struct tarpath_limits names;
  uint64_t max_entries;
  uint64_t max_bytes;        /* of one file, sparse ones at their apparent size */
  const char *single_reason; /* why only one id is mapped, for the warning; may be NULL */
  /* Told of what could not be kept, one line each; unpacking goes on. */
  void (*warn)(void *arg, const char *line);
  void *warn_arg;
  struct recipe *recipe; /* told what became of the contents; may be NULL */
};

struct unpack_result {
  bool replaced;     /* an entry took the place of an earlier one: what that held is nowhere any more */
  uint64_t entries;  /* of the archive, whiteouts included */
  uint64_t warnings; /* calls of warn */
};

/*
 * Reads the tar in `stream` and makes its files below `root`, which is empty and whose owner is ours. Owners by number, modes,
 * modification times to the nanosecond, attributes, hard links, holes; device nodes are left out with a warning (mknod(2) is
 * refused in a user namespace); whiteouts become overlay's. Where only one id is mapped all belongs to it, with one warning.
 * Errors name the entry: -EINVAL for names that lead out and ids that are not mapped, -E2BIG beyond a limit, -EBADMSG for a
 * broken archive, -ENOENT for a hard link whose target is not in this layer. What was made so far stays: the caller removes it.
 */
int unpack_layer(struct stream *stream, int root, const struct unpack_options *options, struct unpack_result *ret, struct err *err);
