/* The names in a folder, in order. */
#pragma once
#include "util.h"

struct names {
  char **name; /* by bytes; without "." and ".." */
  size_t n;
};

/* Reads the folder anew, whatever was read of `fd` before; 0 or -errno, then there is nothing to free. */
int names_read(int fd, struct names *ret);
void names_free(struct names *names);
