/* A pod's own ids: the maps, ACLs, and a layer's copy with other owners. */
#include "lib/podids.h"

#include <endian.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "expect.h"
#include "lib/bundle.h"
#include "lib/copyattr.h"
#include "lib/rootfs.h"

static int parse(const char *text, struct podids *ret) {
  struct err err = {0};
  int r = podids_parse(text, "map", ret, &err);
  EXPECT(r == 0 || err.what[0]);
  return r;
}

static void test_maps(void) {
  struct podids ids;
  EXPECT(parse(NULL, &ids) == 0 && !ids.own && podids_uid(&ids, 7) == 7 && podids_gid(&ids, 7) == 7);
  EXPECT(parse("{\"uids\":[[0,1,1000],[1000,0,1],[1001,1001,64535]],\"gids\":[[0,5,10]]}", &ids) == 0 && ids.own);
  EXPECT(podids_uid(&ids, 0) == 1 && podids_uid(&ids, 999) == 1000 && podids_uid(&ids, 1000) == 0 && podids_uid(&ids, 1001) == 1001);
  EXPECT(podids_uid(&ids, 65535) == 65535 && podids_uid(&ids, 65536) == -1 && podids_uid(&ids, -1) == -1);
  EXPECT(podids_gid(&ids, 9) == 14 && podids_gid(&ids, 10) == -1);
  cleanup_free char *text = podids_text(&ids.uids);
  EXPECT(text && !strcmp(text, "0 1 1000\n1000 0 1\n1001 1001 64535\n"));
  EXPECT(parse("{\"uids\":[[0,0,4294967295]],\"gids\":[[0,0,1]]}", &ids) == 0 && podids_uid(&ids, 4294967294) == 4294967294);
  EXPECT(podids_uid(&ids, 4294967295) == -1);

  static const char *const bad[] = {
      "",
      "[]",
      "{}",
      "{\"uids\":[[0,1,1]]}",
      "{\"uids\":[],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1,0]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1,1,1]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[1,1,1]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,-1,1]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1.5,1]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1,4294967295]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1,10],[9,100,1]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1,10],[10,10,1]],\"gids\":[[0,1,1]]}",
      "{\"uids\":[[0,1,1]],\"uids\":[[0,1,1]],\"gids\":[[0,1,1]]}",
  };
  for (size_t i = 0; i < N_ELEMENTS(bad); i++) EXPECT(parse(bad[i], &ids) == -EINVAL && !ids.own);
}

/* A version, then tag, rights and id of each entry. */
static void test_acl(void) {
  struct podids ids;
  EXPECT(parse("{\"uids\":[[0,100,50]],\"gids\":[[0,200,50]]}", &ids) == 0);
  uint32_t acl[] = {htole32(2), htole32(0x00060001), 0xffffffff, htole32(0x00060002), htole32(33), htole32(0x00060008), htole32(44)};
  EXPECT(copy_shift_acl(acl, sizeof acl, &ids) == 0);
  EXPECT(acl[2] == 0xffffffff && le32toh(acl[4]) == 133 && le32toh(acl[6]) == 244);
  EXPECT(copy_shift_acl(acl, sizeof acl, &ids) == -ERANGE);
  EXPECT(copy_shift_acl(acl, sizeof acl - 1, &ids) == -EINVAL && copy_shift_acl(acl, 3, &ids) == -EINVAL);
  acl[0] = htole32(1);
  EXPECT(copy_shift_acl(acl, sizeof acl, &ids) == -EINVAL);
}

static bool owned(const char *path, uid_t uid, gid_t gid, mode_t mode) {
  struct stat st;
  return lstat(path, &st) == 0 && st.st_uid == uid && st.st_gid == gid && (S_ISLNK(st.st_mode) || (st.st_mode & 07777) == mode);
}

/* As root, who may give files any owner as one in the user's namespace may; in a tmpfs, which has all attributes. */
static void test_layer(void) {
  static const char *const script =
      "mkdir -p l/d/e; echo x > l/d/f; chown 33:44 l/d/f; chmod 4755 l/d/f; ln l/d/f l/hard; ln -s nowhere l/link; chown -h 33:0 l/link;"
      "mknod l/gone c 0 0; mkfifo l/fifo; truncate -s 1G l/sparse; chmod 0700 l/d/e; chown 49:49 l/d; touch -d @1000000000 l/d l/d/f; "
      "mkdir n o";
  struct podids ids;
  struct err err = {0};
  if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
      mount("tmpfs", "/mnt", "tmpfs", 0, "size=64m") < 0) {
    puts("podids: a layer's copy: not root, left out");
    return;
  }
  uint32_t acl[] = {htole32(2), htole32(0x00070001), 0xffffffff, htole32(0x00040002), htole32(33), htole32(0x00050004),
                    0xffffffff, htole32(0x00050010), 0xffffffff, htole32(0x00050020), 0xffffffff};
  const uint32_t caps[] = {htole32(0x02000001), htole32(1 << 10), 0, 0, 0};
  EXPECT(chdir("/mnt") == 0 && system(script) == 0);
  EXPECT(setxattr("l/d", "user.overlay.opaque", "y", 1, 0) == 0 && setxattr("l/d/f", "security.capability", caps, sizeof caps, 0) == 0);
  EXPECT(setxattr("l/d/e", "system.posix_acl_default", acl, sizeof acl, 0) == 0);
  EXPECT(parse("{\"uids\":[[0,1000,50]],\"gids\":[[0,2000,50]]}", &ids) == 0);
  cleanup_fd int to = open("n", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(rootfs_shift_layer("l", to, &ids, &err) == 0);

  struct stat f, hard, gone, sparse, d;
  EXPECT(owned("n", 1000, 2000, 0755) && owned("n/d", 1049, 2049, 0755) && owned("n/d/f", 1033, 2044, 04755));
  EXPECT(owned("n/link", 1033, 2000, 0) && owned("n/fifo", 1000, 2000, 0644) && owned("n/d/e", 1000, 2000, 0700));
  EXPECT(stat("n/d/f", &f) == 0 && stat("n/hard", &hard) == 0 && f.st_ino == hard.st_ino && f.st_mtime == 1000000000);
  EXPECT(lstat("n/gone", &gone) == 0 && S_ISCHR(gone.st_mode) && gone.st_rdev == makedev(0, 0));
  EXPECT(stat("n/sparse", &sparse) == 0 && sparse.st_size == 1 << 30 && sparse.st_blocks < 64);
  EXPECT(stat("n/d", &d) == 0 && d.st_mtime == 1000000000);
  char value[64];
  uint32_t copied[N_ELEMENTS(acl)];
  EXPECT(getxattr("n/d", "user.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y');
  EXPECT(getxattr("n/d/f", "security.capability", value, sizeof value) == (ssize_t)sizeof caps && !memcmp(value, caps, sizeof caps));
  EXPECT(getxattr("n/d/e", "system.posix_acl_default", copied, sizeof copied) == (ssize_t)sizeof copied && le32toh(copied[4]) == 1033);

  cleanup_fd int other = open("o", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  EXPECT(parse("{\"uids\":[[0,1000,40]],\"gids\":[[0,2000,50]]}", &ids) == 0);
  EXPECT(rootfs_shift_layer("l", other, &ids, &err) == -ERANGE && strstr(err.what, "d belongs to 49:49, and the pod's user namespace has"));
  EXPECT(chdir("/") == 0);
}

int main(void) {
  test_maps();
  test_acl();
  test_layer();
  return expect_end("podids");
}
