/* What is mounted into a container beside the kernel's file systems: the pod's files, volumes, secrets. */
#pragma once
#include "bundle.h"

struct volumes {
  const struct podids *ids; /* never NULL */
  int root;                 /* the container's root, attached */
  int infra_dir;            /* infra's run folder, or -1 */
  int run_dir;              /* the container's own: a place to attach what is then taken apart */
};

/* Binds infra's hosts, resolv.conf and hostname to /etc, those that are there. */
int volumes_etc(const struct volumes *v, struct err *err);
/* The file for its last words (lastwords.h), at its path. */
int volumes_last_words(const struct volumes *v, const struct bundle *b, struct err *err);
/*
 * The bundle's mounts and files, in the order of their destinations' folders. The caller still sees the host's file systems and opens
 * their sources with the user's own rights.
 */
int volumes_mount(const struct volumes *v, const struct bundle *b, struct err *err);

/*
 * Opens the source of a bind mount as its options ask (made, of the right type, given to its group, the sub-path). O_PATH. Folders of
 * podgen's own are made the pod's root's, what is the host's the user's.
 */
struct mountopt;
int volume_source(const struct volumes *v, const char *source, const struct mountopt *opt, struct err *err);
/* A mount of type x-podgen.image (imagefs.c). */
int volume_image(const struct volumes *v, const struct bundle *b, const struct bundle_mount *m, struct err *err);
/* One entry of io.podgen.files (secretfs.c). */
int volume_files(const struct volumes *v, const struct bundle_files *files, struct err *err);
