/* The content of files: all of it comes over, and holes stay holes. */
#include "lib/copydata.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "expect.h"

#define HUGE_SIZE ((off_t)64 << 30)

static int temporary(void) {
  char path[] = "/tmp/test_copydata.XXXXXX";
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd < 0 || unlink(path) < 0) abort();
  return fd;
}

static bool reads(int fd, off_t at, const char *want) {
  char buf[16] = "";
  return pread(fd, buf, strlen(want), at) == (ssize_t)strlen(want) && !memcmp(buf, want, strlen(want));
}

/* Data at the beginning, in the middle and behind a hole of 64 GiB, and a hole at the end. */
static void test_sparse(int from, int to) {
  struct stat before, after;
  EXPECT(pwrite(from, "head", 4, 0) == 4 && pwrite(from, "middle", 6, 5 << 20) == 6 && pwrite(from, "tail", 4, HUGE_SIZE) == 4);
  EXPECT(ftruncate(from, HUGE_SIZE + (1 << 20)) == 0 && fstat(from, &before) == 0);
  EXPECT(copy_data(from, to, before.st_size) == 0);
  EXPECT(fstat(to, &after) == 0 && after.st_size == before.st_size && after.st_blocks <= before.st_blocks + 16);
  EXPECT(reads(to, 0, "head") && reads(to, 5 << 20, "middle") && reads(to, HUGE_SIZE, "tail"));
  close(from);
  close(to);
}

static void test_size(off_t size, bool data) {
  cleanup_fd int from = temporary();
  cleanup_fd int to = memfd_create("to", MFD_CLOEXEC);
  struct stat st;
  cleanup_free char *bytes = malloc((size_t)size + 1), *copy = malloc((size_t)size + 1);
  for (off_t i = 0; i < size; i++) bytes[i] = data ? (char)(i * 7 + i / 4096 + 1) : 0;
  EXPECT((data ? write_all(from, bytes, (size_t)size) : ftruncate(from, size)) == 0);
  EXPECT(copy_data(from, to, size) == 0 && fstat(to, &st) == 0 && st.st_size == size);
  EXPECT(pread(to, copy, (size_t)size + 1, 0) == size && !memcmp(bytes, copy, (size_t)size));
}

int main(void) {
  /* Within one file system, and to another, where the kernel does not copy and we do. */
  test_sparse(temporary(), temporary());
  test_sparse(temporary(), memfd_create("to", MFD_CLOEXEC));
  test_sparse(memfd_create("from", MFD_CLOEXEC), temporary());
  for (int data = 0; data < 2; data++) {
    const off_t sizes[] = {0, 1, 4096, 65536, 65537, 3000001};
    for (size_t i = 0; i < N_ELEMENTS(sizes); i++) test_size(sizes[i], data);
  }
  return expect_end("copydata");
}
