/* Names in a layer's archive: cleaned, checked, shown, and which whiteouts they spell. String work only, no files. */
#pragma once
#include <limits.h>

#include "util.h"

struct tarpath_limits {
  size_t name;    /* bytes of a whole cleaned name; below PATH_MAX */
  unsigned depth; /* parts of a name */
};

/*
 * Cleans an archive's name into `out` (PATH_MAX bytes): leading slashes, empty parts and "." go, as tar does; "" is the
 * layer's root. -EINVAL for an empty name or one with a ".." part (what it would mean depends on symlinks, and honest
 * archives have none), -ENAMETOOLONG beyond the limits or with a part above NAME_MAX. Returns the length.
 */
int tarpath_clean(const char *name, const struct tarpath_limits *limits, char out[PATH_MAX], struct err *err);

enum tarpath_kind {
  TARPATH_ENTRY,    /* an ordinary name */
  TARPATH_WHITEOUT, /* hides a name of the layers below */
  TARPATH_OPAQUE,   /* hides all that the layers below have in its folder */
  TARPATH_META,     /* bookkeeping of aufs, or below a whiteout: no file of the image */
};

/*
 * Classifies a cleaned name by the OCI image-spec's layer.md ("Whiteouts"). For TARPATH_WHITEOUT the last part in `path`
 * loses its ".wh.", for TARPATH_OPAQUE the last part goes. -EINVAL for a whiteout of nothing, of "." or of "..".
 */
int tarpath_classify(char *path, struct err *err);

/* A name for messages: control characters, quotes' backslash and bytes that are no UTF-8 become \xNN; cut with "…" when too long. */
void tarpath_show(const char *name, char *out, size_t size);
