/* Compiled seccomp programs, kept between starts: one file for each first byte of the key, so that they cannot become many. */
#include <fcntl.h>
#include <nettle/sha2.h>
#include <sys/stat.h>

#include "oci_seccomp_parts.h"

struct header {
  char magic[8];
  uint64_t n; /* instructions, which follow */
  uint8_t key[SECCOMP_KEY_SIZE];
  uint8_t sum[SHA256_DIGEST_SIZE]; /* of all above and the instructions */
};
static const char magic[8] = "podrtBPF";

struct entry {
  struct header header;
  struct sock_filter code[BPF_MAXINSNS];
};

static void sum(const struct entry *e, uint8_t ret[SHA256_DIGEST_SIZE]) {
  struct sha256_ctx sha;
  sha256_init(&sha);
  sha256_update(&sha, offsetof(struct header, sum), (const uint8_t *)&e->header);
  sha256_update(&sha, e->header.n * sizeof *e->code, (const uint8_t *)e->code);
  sha256_digest(&sha, SHA256_DIGEST_SIZE, ret);
}

static void file_name(const uint8_t key[SECCOMP_KEY_SIZE], char ret[16]) {
  snprintf(ret, 16, "seccomp-%02x", key[0]);
}

/* Whoever could write there could take a container's filter away. */
static bool ours(const struct stat *st, mode_t type) {
  return (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static bool folder_is_ours(int cache) {
  struct stat st;
  return cache >= 0 && fstat(cache, &st) == 0 && ours(&st, S_IFDIR);
}

int seccomp_cache_read(int cache, const uint8_t key[SECCOMP_KEY_SIZE], struct sock_filter **ret, size_t *ret_n) {
  char name[16];
  struct stat st;
  uint8_t expected[SHA256_DIGEST_SIZE];
  if (!folder_is_ours(cache)) return -ENOENT;
  file_name(key, name);
  cleanup_fd int fd = openat(cache, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) < 0 || !ours(&st, S_IFREG)) return -ENOENT;
  cleanup_free struct entry *e = malloc(sizeof *e);
  if (!e) return -ENOMEM;
  ssize_t len = read(fd, e, sizeof *e);
  if (len < (ssize_t)sizeof e->header || memcmp(e->header.magic, magic, sizeof magic) != 0 || !e->header.n ||
      e->header.n > N_ELEMENTS(e->code) || (size_t)len != sizeof e->header + e->header.n * sizeof *e->code)
    return -ENOENT;
  sum(e, expected);
  if (memcmp(e->header.key, key, SECCOMP_KEY_SIZE) != 0 || memcmp(e->header.sum, expected, sizeof expected) != 0) return -ENOENT;
  struct sock_filter *code = malloc(e->header.n * sizeof *code);
  if (!code) return -ENOMEM;
  memcpy(code, e->code, e->header.n * sizeof *code);
  *ret = code;
  *ret_n = e->header.n;
  return 0;
}

void seccomp_cache_write(int cache, const uint8_t key[SECCOMP_KEY_SIZE], const struct sock_filter *code, size_t n) {
  char name[16];
  cleanup_free struct entry *e = n <= BPF_MAXINSNS && folder_is_ours(cache) ? calloc(1, sizeof *e) : NULL;
  if (!e) return;
  memcpy(e->header.magic, magic, sizeof magic);
  memcpy(e->header.key, key, SECCOMP_KEY_SIZE);
  e->header.n = n;
  memcpy(e->code, code, n * sizeof *code);
  sum(e, e->header.sum);
  file_name(key, name);
  (void)write_file_atomic_at(cache, name, e, sizeof e->header + n * sizeof *code, 0600);
}
