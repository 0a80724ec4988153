/* Root file systems in a user namespace of our own: overlay by both interfaces, 300 layers, copies, fresh folders; and seccomp. */
#include "lib/rootfs.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "expect.h"
#include "lib/payload.h"
#include "lib/seccomp.h"
#include "lib/seccomp_profile.h"

enum { MANY = 300 };

static char base[] = "/tmp/podrt-rootfs-XXXXXX";

static int write_text(const char *path, const char *text) {
  cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

static bool reads(int root, const char *name, const char *want) {
  cleanup_free char *text = NULL;
  return read_file_at(root, name, 4096, &text, NULL) == 0 && !strcmp(text, want);
}

static bool there(int root, const char *name) {
  return faccessat(root, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* In a namespace where we are root, so that the test needs no rights; the file systems go with the process. */
static bool enter_namespace(void) {
  char map[32];
  const unsigned uid = getuid(), gid = getgid();
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) return false;
  snprintf(map, sizeof map, "0 %u 1", uid);
  if (write_text("/proc/self/setgroups", "deny") < 0 || write_text("/proc/self/uid_map", map) < 0) return false;
  snprintf(map, sizeof map, "0 %u 1", gid);
  return write_text("/proc/self/gid_map", map) == 0 && mount("tmpfs", base, "tmpfs", 0, "size=64m") == 0;
}

/* Layers /1, /2, /3: the third hides `gone` and all that /d had before. */
static int make_layers(const char **layers) {
  static const char *const script =
      "mkdir -p 1/d 2/d/sub 3/d; echo one > 1/a; echo one > 1/b; echo x > 1/gone; echo old > 1/d/old; ln 1/a 1/hard; ln -s a 1/link;"
      "echo two > 2/b; echo x > 2/d/sub/f; chmod 4750 2/b; mkfifo 2/fifo; truncate -s 64G 2/sparse; mknod 3/gone c 0 0; echo new > "
      "3/d/new; chmod 0711 3";
  if (chdir(base) < 0 || system(script) != 0 || setxattr("3/d", "user.overlay.opaque", "y", 1, 0) < 0 || chdir("/") < 0) return -errno;
  for (int i = 0; i < 3; i++) layers[i] = xformat("%s/%d", base, i + 1);
  return 0;
}

static void expect_merged(int root) {
  struct stat a, hard, b, top, sparse;
  EXPECT(reads(root, "a", "one\n") && reads(root, "b", "two\n") && reads(root, "link", "one\n") && reads(root, "d/new", "new\n"));
  EXPECT(!there(root, "gone") && !there(root, "d/old") && !there(root, "d/sub") && there(root, "fifo"));
  EXPECT(fstatat(root, "a", &a, 0) == 0 && fstatat(root, "hard", &hard, 0) == 0 && a.st_ino == hard.st_ino);
  EXPECT(fstatat(root, "b", &b, 0) == 0 && (b.st_mode & 07777) == 04750);
  EXPECT(fstatat(root, "sparse", &sparse, 0) == 0 && sparse.st_size == (off_t)64 << 30 && sparse.st_blocks < 64);
  EXPECT(fstat(root, &top) == 0 && (top.st_mode & 07777) == 0711);
}

/* Each start of a driver: fresh folders, what it shows, and that the next start finds nothing of what was written. */
static void test_driver(struct bundle_rootfs *fs, enum rootfs_driver driver, int overlay(const struct bundle_rootfs *, struct err *)) {
  struct err err = {0};
  for (int round = 0; round < 2; round++) {
    bool unsupported = false;
    cleanup_fd int folder = rootfs_prepare(fs, &err);
    EXPECT(folder >= 0);
    int root = -1;
    if (driver == ROOTFS_VFS) {
      cleanup_free char *merged = xformat("%s/merged", fs->upper);
      EXPECT(rootfs_copy(fs, &err) == 0);
      root = rootfs_bind(merged, &err);
    } else {
      root = overlay ? overlay(fs, &err) : rootfs_overlay(fs, &unsupported, &err);
    }
    if (root < 0) fprintf(stderr, "%s: %s: %s\n", err.step, err.what, strerror(err.code));
    EXPECT(root >= 0);
    expect_merged(root);
    EXPECT(!there(root, "written"));
    cleanup_fd int written = openat(root, "written", O_WRONLY | O_CREAT, 0600);
    EXPECT(written >= 0);
    cleanup_free char *merged = xformat("%s/merged", fs->upper);
    close(root);
    EXPECT(umount2(merged, MNT_DETACH) == 0);
    rootfs_clean(folder);
    cleanup_free char *left = xformat("test -z \"$(find %s -maxdepth 1 -name '.old-*')\"", fs->upper);
    EXPECT(system(left) == 0);
  }
}

static void test_many(const char *upper) {
  const char *layers[MANY];
  struct err err = {0};
  bool unsupported;
  for (int i = 0; i < MANY; i++) {
    cleanup_free char *file = xformat("%s/layer-with-a-long-name-%0128d/f%d", base, i, i);
    layers[i] = xformat("%s/layer-with-a-long-name-%0128d", base, i);
    EXPECT(mkdir(layers[i], 0755) == 0 && write_text(file, "x") == 0);
  }
  struct bundle_rootfs fs = {.layers = layers, .n_layers = MANY, .upper = upper};
  for (int old = 0; old < 2; old++) {
    cleanup_fd int folder = rootfs_prepare(&fs, &err);
    cleanup_fd int root = old ? rootfs_overlay_old(&fs, &err) : rootfs_overlay(&fs, &unsupported, &err);
    if (root < 0) fprintf(stderr, "%s: %s: %s\n", err.step, err.what, strerror(err.code));
    EXPECT(folder >= 0 && root >= 0 && there(root, "f0") && there(root, "f150") && there(root, "f299"));
    cleanup_free char *merged = xformat("%s/merged", upper);
    EXPECT(umount2(merged, MNT_DETACH) == 0);
  }
  for (int i = 0; i < MANY; i++) free((char *)layers[i]);
}

/* More files with several names than the first tables have room for: each name is of its own file, and of no other. */
static void test_links(void) {
  enum { FILES = 1000 };
  struct err err = {0};
  cleanup_free char *layer = xformat("%s/linked", base), *copy = xformat("%s/copied", base);
  EXPECT(mkdir(layer, 0755) == 0 && mkdir(copy, 0755) == 0);
  cleanup_fd int from = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  cleanup_fd int to = open(copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char a[16], b[16];
  for (int i = 0; i < FILES; i++) {
    snprintf(a, sizeof a, "a%d", i);
    snprintf(b, sizeof b, "b%d", i);
    cleanup_free char *path = xformat("%s/%s", layer, a);
    EXPECT(write_text(path, a) == 0 && linkat(from, a, from, b, 0) == 0);
  }
  EXPECT(rootfs_copy_folder(from, to, &err) == 0);
  for (int i = 0; i < FILES; i++) {
    struct stat one, other;
    snprintf(a, sizeof a, "a%d", i);
    snprintf(b, sizeof b, "b%d", i);
    EXPECT(reads(to, b, a) && fstatat(to, a, &one, 0) == 0 && fstatat(to, b, &other, 0) == 0);
    EXPECT(one.st_ino == other.st_ino && one.st_nlink == 2);
  }
}

static void test_missing(const char *upper) {
  const char *layers[] = {"/nowhere/1", "/nowhere/2"};
  struct err err = {0};
  struct bundle_rootfs fs = {.layers = layers, .n_layers = 2, .upper = upper};
  EXPECT(rootfs_prepare(&fs, &err) == -ENOENT && !strcmp(err.what, "/nowhere/1"));
  /* A link is podman's layer. */
  cleanup_free char *podmans = xformat("%s/link", base);
  layers[0] = podmans;
  EXPECT(symlink("/nowhere/diff", podmans) == 0 && rootfs_prepare(&fs, &err) == -ENOENT);
  EXPECT(strstr(err.what, "podman has removed") && strstr(err.what, "/nowhere/diff") && unlink(podmans) == 0);
  bool unsupported = true;
  layers[0] = layers[1] = base;
  cleanup_fd int folder = rootfs_prepare(&fs, &err);
  layers[0] = "/nowhere/1";
  EXPECT(folder >= 0 && rootfs_overlay(&fs, &unsupported, &err) == -ENOENT && !unsupported && strstr(err.what, "/nowhere/1"));
  EXPECT(rootfs_overlay_old(&fs, &err) == -ENOENT);
  EXPECT(rootfs_copy(&fs, &err) == -ENOENT);
}

static int child_of_rootfs(void) {
  const char *layers[3] = {0};
  cleanup_free char *upper = xformat("%s/containers/app", base);
  if (!enter_namespace() || make_layers(layers) < 0) {
    perror("namespace");
    return 1;
  }
  struct bundle_rootfs fs = {.layers = layers, .n_layers = 3, .upper = upper};
  test_driver(&fs, ROOTFS_OVERLAY, NULL);
  test_driver(&fs, ROOTFS_OVERLAY, rootfs_overlay_old);
  test_driver(&fs, ROOTFS_VFS, NULL);
  test_many(upper);
  test_links();
  test_missing(upper);
  for (size_t i = 0; i < 3; i++) free((char *)layers[i]);
  return expect_end("rootfs");
}

/* --- seccomp --- */

static int under_filter(uint64_t bounding) {
  struct filter_program program;
  struct err err = {0};
  if (filter_default(bounding, &program, &err) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_load(&program, &err) < 0)
    return 99;
  free(program.owned);
  bool sys_admin = bounding & 1ull << 21;
  if (syscall(SYS_swapon, "/x", 0) != -1 || errno != EPERM) return 1;
  if (syscall(SYS_add_key, 0, 0, 0, 0, 0) != -1 || errno != ENOSYS) return 2;
  if (syscall(SYS_bpf, 999, 0, 0) != -1 || errno != (sys_admin ? EINVAL : EPERM)) return 3;
  if (socket(AF_NETLINK, SOCK_RAW, 9) != -1 || errno != EINVAL) return 4; /* audit */
  if (syscall(SYS_personality, 0xffffffff) < 0) return 5;
  if (syscall(SYS_personality, 1) != -1 || errno != ENOSYS) return 6;
  if (syscall(SYS_getpid) <= 0 || syscall(SYS_kill, 0, 0) < 0) return 7;
  if (syscall(SYS_fsopen, "nothing", 0) != -1 || errno == ENOSYS) return 8;
  return 0;
}

static void test_filter(uint64_t bounding) {
  pid_t pid = fork();
  if (pid == 0) _exit(under_filter(bounding));
  int status = -1;
  EXPECT(waitpid(pid, &status, 0) == pid);
  if (status) fprintf(stderr, "seccomp %llx: status %x\n", (unsigned long long)bounding, status);
  EXPECT(status == 0);
}

static void test_profile_errors(void) {
  struct sock_filter *code = NULL;
  size_t n;
  struct err err = {0};
  static const char *const bad[] = {
      "", "{}", "{\"defaultAction\":\"SCMP_ACT_X\"}",
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"?\"}]}",
      "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\","
      "\"args\":[{\"index\":9,\"value\":0,\"op\":\"SCMP_CMP_EQ\"}]}]}"};
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(seccomp_profile_compile(bad[i], strlen(bad[i]), 0, &code, &n, &err) < 0);
}

/* The program that executes payloads cannot be changed, not even by who may open it. */
static void test_payload(void) {
  struct err err = {0};
  cleanup_fd int fd = payload_open(&err);
  EXPECT(fd >= 0 && fcntl(fd, F_GET_SEALS) == (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
  EXPECT(write(fd, "x", 1) < 0 && ftruncate(fd, 0) < 0);
  struct stat st;
  EXPECT(fstat(fd, &st) == 0 && st.st_size > 100 && st.st_size < 8192);
  static const struct {
    const char *path;
    char *words[4];
    int code;
  } cases[] = {{"/bin/sh", {"sh", "-c", "exit 3", NULL}, 3}, {"/nowhere", {"x", NULL}, 127}, {"/etc/passwd", {"x", NULL}, 126}};
  for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
    pid_t pid = fork();
    if (pid == 0) {
      char *env[] = {"A=1", NULL};
      close(2);
      payload_exec(fd, cases[i].path, (char *const *)cases[i].words, env, &err);
      _exit(99);
    }
    int status = -1;
    EXPECT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == cases[i].code);
  }
}

int main(void) {
  if (!mkdtemp(base)) return 1;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) exit(child_of_rootfs());
  int status = -1;
  EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
  EXPECT(rmdir(base) == 0);
  const uint64_t usual = 1ull << 18;
  test_filter(usual);
  test_filter(0);
  test_filter(usual | 1ull << 21); /* CAP_SYS_ADMIN: compiled at run time */
  test_profile_errors();
  test_payload();
  return expect_end("rootfs and seccomp");
}
