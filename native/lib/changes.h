/* What a container has changed of its root file system, as the tar of an image layer (OCI image-spec, layer.md). */
#pragma once
#include "bundle.h"
#include "merged.h"

struct changes_options {
  int64_t latest; /* times after this (seconds) become this; INT64_MAX: none */
  /* What a layer cannot have and is left out; may be NULL. */
  void (*warn)(void *arg, const char *line);
  void *warn_arg;
};

/*
 * Writes the tar to `out`. Read is the writable layer itself, from outside, so that nothing that is mounted in the container can be in it;
 * what podrt made there to mount on is left out. Owners, and ids in ACLs, are those that the container saw; equal trees give equal bytes.
 * The caller is root in the user's namespace. -ENOENT: it was never started. What runs meanwhile may give a state that never was.
 */
int changes_write(const struct bundle *b, const struct changes_options *options, int out, struct err *err);

/* --- parts of it, changes_points.c and changes_attr.c --- */

/* Paths that podrt mounts on, resolved in the container's view, without a slash in front. */
struct changes_points {
  char **paths;
  size_t n;
};
int changes_points(const struct bundle *b, const struct merged *view, struct changes_points *ret, struct err *err);
void changes_points_free(struct changes_points *points);
/* 2: something is mounted on `path` itself; 1: on something below it; 0 neither. */
int changes_points_at(const struct changes_points *points, const char *path);

struct xattr;
/* From the user's ids to the pod's: the other way round than podids.h looks. */
struct podids changes_inverse(const struct podids *ids);
/*
 * Attributes that belong into a layer, by name, with the pod's ids (`inverse`) in ACLs and file capabilities as version 2, which those of
 * the namespace's own root are. *ret_dropped counts what cannot be in one. Free with xattr_free().
 */
int changes_xattrs(int dir, const char *name, const struct podids *inverse, struct xattr **ret, unsigned *ret_dropped);
bool changes_same_xattrs(const struct xattr *a, const struct xattr *b);
