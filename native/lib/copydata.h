/* A file's content copied as cheaply as the file systems allow. */
#pragma once
#include "util.h"

/*
 * Copies all `size` bytes of `from` into the empty file `to`: by sharing the blocks where that works (FICLONE), else what is data alone, so
 * that a hole stays one (lseek(2), SEEK_DATA). 0 or -errno.
 */
int copy_data(int from, int to, off_t size);
