/* Small files that outlive a power cut. */
#pragma once
#include "util.h"

/* Makes the folders above an absolute path, 0700, as far as they are not there. */
int durable_folders(const char *path);
/* As write_file_atomic_at for an absolute path, whose folders are made; on the disk when it returns, with its name. */
int durable_write(const char *path, const void *bytes, size_t len, mode_t mode);
