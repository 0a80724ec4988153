/* Programs of one page that are part of podrt, in a memfd that nobody can change. */
#pragma once
#include "util.h"

/* The descriptor, for execveat(2); it closes at exec. */
int sealed_program(const char *name, const void *bytes, size_t len, struct err *err);
