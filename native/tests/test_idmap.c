/* Id maps as /proc shows them. */
#include "lib/idmap.h"

#include <sys/mman.h>

#include "expect.h"

static int read_text(const char *text, struct idmap *map) {
  char path[64];
  struct err err = {0};
  cleanup_fd int fd = memfd_create("map", MFD_CLOEXEC);
  EXPECT(write_all(fd, text, strlen(text)) == 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return idmap_read(path, map, &err);
}

int main(void) {
  struct idmap map;
  EXPECT(read_text("         0       1000          1\n         1     100000      65536\n", &map) == 0);
  EXPECT(map.n == 2 && map.total == 65537);
  EXPECT(idmap_has(&map, 0) && idmap_has(&map, 1) && idmap_has(&map, 65536));
  EXPECT(!idmap_has(&map, 65537) && !idmap_has(&map, -1) && !idmap_has(&map, (int64_t)1 << 32));
  idmap_free(&map);

  EXPECT(read_text("0 0 4294967295\n", &map) == 0);
  EXPECT(idmap_has(&map, 4294967294) && !idmap_has(&map, 4294967295));
  idmap_free(&map);

  EXPECT(read_text("", &map) == 0 && map.n == 0 && !idmap_has(&map, 0));
  idmap_free(&map);
  EXPECT(read_text("0 1000\n", &map) == -EBADMSG);
  EXPECT(read_text("nonsense\n", &map) == -EBADMSG);
  return expect_end("idmap");
}
