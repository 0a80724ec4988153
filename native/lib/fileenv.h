/* Variables whose values are in files of the pod's volumes (Kubernetes' fileKeyRef): read once, at the start. */
#pragma once
#include "environ.h"

/*
 * The value of `key` in a file of lines VAR='value' (Kubernetes' env files): what is quoted is taken as it is, newlines too; blanks
 * before a name, empty lines, and comments at the beginning of a line or behind a value count for nothing; VAR= is the empty text. 1:
 * found, *ret is new; 0: not there; -EINVAL: not such a file, *ret_line says where. The first of a name counts. Borrows `text`.
 */
int fileenv_find(const char *text, const char *key, char **ret, unsigned *ret_line);

/*
 * Reads the bundle's (io.podgen.file-env) from the volumes, whose files belong to containers: the caller is root of the user namespace
 * and sees the host's file systems. Sets them, and keeps them in the run folder, for exec.
 */
int fileenv_read(const struct bundle *b, struct environment *env, int run_dir, struct err *err);
/* Sets what the last start has kept. */
int fileenv_recall(const struct bundle *b, struct environment *env, int run_dir, struct err *err);
