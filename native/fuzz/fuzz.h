/* For the fuzz targets (libFuzzer, `make fuzz`): a target is one file with one entry; a broken promise is abort(). */
#pragma once
#include <fcntl.h>
#include <sys/mman.h>

#include "lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define PROMISE(condition)                                                      \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                  \
    }                                                                           \
  } while (0)

/* The input's next part, up to a NUL or its end, as a new string. */
static inline char *fuzz_part(const uint8_t **data, size_t *size) {
  size_t len = strnlen((const char *)*data, *size);
  char *part = strndup((const char *)*data, len);
  if (!part) abort();
  *data += len + (len < *size);
  *size -= len + (len < *size);
  return part;
}

/* The input as a file; for what reads by descriptor or by path (/proc/self/fd/N). */
static inline int fuzz_file(const void *data, size_t size) {
  int fd = memfd_create("input", MFD_CLOEXEC);
  if (fd < 0 || write_all(fd, data, size) < 0 || lseek(fd, 0, SEEK_SET) < 0) abort();
  return fd;
}
