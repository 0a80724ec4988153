/* state.json of podgen's run folders, and of OCI containers. */
#include <sys/stat.h>

#include "json_mutate.h"
#include "oci/state.h"

static int folder = -1;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  if (mkdir("state-folder", 0700) < 0 && errno != EEXIST) abort();
  folder = open("state-folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) abort();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct run_state state;
  struct err err = {0};
  if (write_file_atomic_at(folder, "state.json", data, size, 0600) < 0) abort();
  if (run_state_read(folder, &state, &err) == 0) PROMISE(state.id.pid > 0 && strlen(state.digest) < sizeof state.digest);
  struct oci_container container = {.id = "x", .dir = -1};
  if (oci_container_parse((const char *)data, size, &container, &err) == 0)
    PROMISE(container.bundle && container.rootfs && container.created);
  oci_container_free(&container);
  return 0;
}
