/* A layer's archive, unpacked, and packed again by its recipe to the very same bytes: in a user namespace of one id, where nothing but a
 * small tmpfs can be written. */
#include <linux/mount.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "fuzz.h"
#include "lib/repack.h"
#include "lib/rmtree.h"
#include "lib/unpack.h"

/* A folder that every Debian has and nobody works in. */
static const char place[] = "/mnt";
static int home = -1, stop = -1;

static void put(const char *path, const char *text) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write_all(fd, text, strlen(text)) < 0) abort();
}

/* The working folder stays writable: libFuzzer leaves what it found there, and its corpus. */
static void confine(void) {
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
  cleanup_free char *cwd = getcwd(NULL, 0), *uids = xformat("0 %u 1", geteuid()), *gids = xformat("0 %u 1", getegid());
  if (!cwd || !uids || !gids || unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) abort();
  put("/proc/self/setgroups", "deny");
  put("/proc/self/uid_map", uids);
  put("/proc/self/gid_map", gids);
  cleanup_fd int own = (int)syscall(SYS_open_tree, AT_FDCWD, cwd, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
  if (own < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) < 0 ||
      mount("podrt-fuzz", place, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,nr_inodes=20000") < 0)
    abort();
  home = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (home < 0) abort();
  if (syscall(SYS_move_mount, own, "", AT_FDCWD, cwd, MOVE_MOUNT_F_EMPTY_PATH) < 0 || chdir(cwd) < 0) abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc;
  (void)argv;
  confine();
  stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return 0;
}

static void count(void *arg, const char *line) {
  PROMISE(line[0]);
  ++*(unsigned *)arg;
}

/* What was unpacked and nothing replaced packs to what it came from. */
static void pack_again(int root, int recipe, const char *digest, uint64_t bytes) {
  struct err err = {0};
  char again[72];
  uint64_t size = 0;
  PROMISE(lseek(recipe, 0, SEEK_SET) == 0);
  PROMISE(repack_layer(root, recipe, -1, again, &size, &err) == 0);
  PROMISE(size == bytes && !strcmp(again, digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct stream_limits limits = {.bytes = 8 << 20, .ratio = 200};
  unsigned warned = 0;
  struct unpack_options options = {
      .names = {.name = PATH_MAX - 1, .depth = 64}, .max_entries = 500, .max_bytes = 4 << 20, .warn = count, .warn_arg = &warned};
  struct unpack_result result = {0};
  struct err err = {0}, ignored;
  struct stream *stream = NULL;
  cleanup_fd int blob = fuzz_file(data, size);
  if (mkdirat(home, "layer", 0700) < 0) abort();
  cleanup_fd int root = openat(home, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cleanup_fd int recipe = memfd_create("recipe", MFD_CLOEXEC);
  if (recipe_new(fcntl(recipe, F_DUPFD_CLOEXEC, 0), &options.recipe, &err) < 0) abort();
  if (stream_open(blob, stop, &limits, &stream, &err) == 0) {
    stream_tap(stream, recipe_block, options.recipe);
    if (unpack_layer(stream, root, &options, &result, &err) == 0) {
      char digest[72];
      uint64_t bytes;
      PROMISE(result.entries <= options.max_entries && result.warnings == warned);
      int r = stream_finish(stream, digest, &bytes, &err);
      if (r == 0 && !result.replaced) {
        PROMISE(recipe_finish(options.recipe, &err) == 0);
        pack_again(root, recipe, digest, bytes);
      }
    } else {
      PROMISE(err.step[0]);
    }
    stream_free(stream);
  }
  recipe_free(options.recipe);
  PROMISE(rmtree_at(home, "layer", &ignored) == 0);
  return 0;
}
