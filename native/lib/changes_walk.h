/* Inside changes*.c: the walk through a container's folder, and what each part of it gives the others. */
#pragma once
#include "changes.h"
#include "tarwrite.h"

enum { PIECE = 64 * 1024 };

#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
/* fuse-overlayfs writes it beside the other. */
#define OPAQUE_TOO ".wh..opq"

/* A folder on the way down. */
struct frame {
  struct frame *above;
  const char *path; /* "" for the root */
  int fd;
  struct stat st; /* what its entry is to say */
  bool written;
  struct merged below; /* the same folder in the image's layers; n is 0 where they have none */
};

/* A file of several names, and the one it has in the tar. */
struct first {
  dev_t dev;
  ino_t ino;
  char *path;
};

struct walk {
  const struct changes_options *options;
  struct podids inverse;
  struct changes_points points;
  bool compare; /* the copying driver: the folder has everything */
  bool fuse;    /* fuse-overlayfs: names that begin with .wh. are its own marks */
  struct first *firsts;
  size_t n_firsts, room_firsts;
  unsigned depth;
  struct tarwrite tar;
  uint8_t piece[2][PIECE];
  struct err *err;
};

/* --- changes_entry.c: entries of the tar. All return 0 or a negative errno with w->err set. --- */

int changes_fail(struct walk *w, int code, const char *step, const char *path);
/* The folder's own entry, after those above it. */
int changes_put_folder(struct walk *w, struct frame *f);
/* An empty file that only its name says something by: `prefix` and `name`. */
int changes_put_mark(struct walk *w, struct frame *f, const char *prefix, const char *name);
/* Anything but a folder. What is gone meanwhile, and sockets, are left out; devices too, with a warning. */
int changes_put(struct walk *w, struct frame *f, const char *name, const char *path, const struct stat *st);

/* --- changes_compare.c: with what the image's layers show --- */

/* Owner, mode and attributes of the two are the same: 1 or 0. -errno. */
int changes_same_attributes(struct walk *w, int a_dir, const char *a_name, const struct stat *a, int b_dir, const char *b_name,
                            const struct stat *b);
/* 1 when the image's layers show the very same, no folder, at this name. -errno. */
int changes_unchanged(struct walk *w, struct frame *f, const char *name, const struct stat *st);
/* Whiteouts for what the image has in this folder and the container has not. */
int changes_put_removed(struct walk *w, struct frame *f);
