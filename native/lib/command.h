/* Finding what a container shall execute, before anybody is told that it started. */
#pragma once
#include "util.h"

/* podrt's own exit codes, native/README.md. */
enum { EXIT_PODRT = 125, EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

/* The list PATH where nobody gave one. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct command_wish {
  int root;           /* the file system whose root is the process's own, or shall be */
  const char *word;   /* argv[0] */
  const char *path;   /* the list PATH; NULL: DEFAULT_PATH */
  const char *cwd;    /* absolute; relative words with a slash are below it */
  bool other_formats; /* binfmt_misc is in use on the host: take files of formats that we do not know */
};

/*
 * Finds `word` as execvp(3) would. The caller has the rights of the payload: what it may not execute is not executable. Also looks
 * into the file: a script's interpreter must be there, a program must be of this machine. Returns 0 and a new string; else the
 * error, and *ret_exit is 126 or 127.
 */
int command_find(const struct command_wish *wish, char **ret, int *ret_exit, struct err *err);
/* Is binfmt_misc in use? To be asked while the host's /proc is there. */
bool command_other_formats(void);

/*
 * Looks at a file's first bytes (`n` of them). 0: may be executed; else negative with err. *ret_interpreter is set for a script: a
 * copy, to be freed.
 */
int command_look(const unsigned char *head, size_t n, char **ret_interpreter, struct err *err);
