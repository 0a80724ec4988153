/* /etc/subuid and the kernel's uid_map. */
#include "fuzz.h"
#include "lib/idmap.h"
#include "lib/subid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  cleanup_fd int fd = fuzz_file(data, size);
  char path[32];
  struct subid ids;
  struct idmap map;
  struct err err = {0};
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  PROMISE(subid_read(path, "alice", 1000, 1000, &ids) == 0 && ids.n <= SUBID_MAX);
  uint64_t end = 0;
  for (size_t i = 0; i < ids.n; i++) {
    PROMISE(ids.range[i].count && ids.range[i].first >= end);
    end = (uint64_t)ids.range[i].first + ids.range[i].count;
    PROMISE(end <= UINT32_MAX && !(ids.range[i].first <= 1000 && end > 1000));
  }
  (void)subid_first_free(path, path);
  if (idmap_read(path, &map, &err) == 0) {
    (void)idmap_has(&map, 1000);
    idmap_free(&map);
  }
  return 0;
}
