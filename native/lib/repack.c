/* A layer's tar made again: see repack.h. The recipe is our own file, but damage is what this is there to find: nothing in it is believed.
 */
#include "repack.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <zlib.h>

#include "digest.h"
#include "recipe.h"
#include "tarpath.h"
#include "tree.h"

struct repack {
  gzFile in;
  int out;
  struct tree tree;
  int file; /* of the last `F` */
  char path[PATH_MAX];
  struct sha256_ctx sha;
  uint64_t size;
  uint8_t buffer[RECIPE_PIECE];
};

static int bad(struct err *err, const char *what) {
  return err_set(err, 0, "recipe", "%s", what), -EBADMSG;
}

static int take(struct repack *p, void *to, size_t len, struct err *err) {
  return gzread(p->in, to, (unsigned)len) == (int)len ? 0 : bad(err, "it is damaged or cut off");
}

static int take_number(struct repack *p, uint64_t limit, uint64_t *ret, struct err *err) {
  uint64_t n = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    uint8_t byte;
    int r = take(p, &byte, 1, err);
    if (r < 0) return r;
    n |= (uint64_t)(byte & 0x7f) << shift;
    if (byte & 0x80) continue;
    *ret = n;
    return n <= limit ? 0 : bad(err, "it has a number that is too large");
  }
  return bad(err, "it has a number that is too large");
}

static int give(struct repack *p, size_t len, struct err *err) {
  sha256_update(&p->sha, len, p->buffer);
  p->size += len;
  int r = p->out >= 0 ? write_all(p->out, p->buffer, len) : 0;
  return r < 0 ? err_set(err, -r, "write", "the layer's tar") : 0;
}

static int give_literal(struct repack *p, struct err *err) {
  uint64_t len = 0;
  int r = take_number(p, RECIPE_PIECE, &len, err);
  if (r == 0) r = take(p, p->buffer, (size_t)len, err);
  return r < 0 ? r : give(p, (size_t)len, err);
}

/* What is wrong with a file of the layer. */
static int altered(const struct repack *p, const char *how, struct err *err) {
  char shown[400];
  tarpath_show(p->path, shown, sizeof shown);
  return err_set(err, 0, "altered", "%s %s", shown, how), -EBADMSG;
}

static int open_file(struct repack *p, struct err *err) {
  uint64_t len = 0;
  struct stat st;
  int r = take_number(p, sizeof p->path - 1, &len, err);
  if (r == 0) r = take(p, p->path, (size_t)len, err);
  if (r < 0) return r;
  p->path[len] = 0;
  if (p->file >= 0) close(p->file);
  /* O_NONBLOCK: a fifo in the file's place is found out and not waited for. */
  p->file = tree_open(&p->tree, p->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (p->file < 0) return altered(p, p->file == -ENOENT ? "is gone" : "cannot be opened", err);
  if (fstat(p->file, &st) < 0 || !S_ISREG(st.st_mode)) return altered(p, "is no file any more", err);
  (void)posix_fadvise(p->file, 0, 0, POSIX_FADV_SEQUENTIAL);
  return 0;
}

static int give_data(struct repack *p, struct err *err) {
  uint64_t offset = 0, len = 0;
  int r = take_number(p, INT64_MAX, &offset, err);
  if (r == 0) r = take_number(p, INT64_MAX, &len, err);
  if (r == 0 && p->file < 0) r = bad(err, "it has content of no file");
  while (r == 0 && len > 0) {
    size_t want = len < sizeof p->buffer ? (size_t)len : sizeof p->buffer;
    ssize_t n = pread(p->file, p->buffer, want, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return err_set(err, errno, "read", "%.400s", p->path);
    if (n == 0) return altered(p, "is shorter than it was", err);
    r = give(p, (size_t)n, err);
    offset += (uint64_t)n;
    len -= (uint64_t)n;
  }
  return r;
}

static int replay(struct repack *p, struct err *err) {
  char magic[sizeof RECIPE_MAGIC - 1];
  int r = take(p, magic, sizeof magic, err);
  if (r == 0 && memcmp(magic, RECIPE_MAGIC, sizeof magic) != 0) r = bad(err, "it is none of this podrt's");
  while (r == 0) {
    char kind = 0;
    r = take(p, &kind, 1, err);
    if (r < 0 || kind == 'E') break;
    r = kind == 'L' ? give_literal(p, err) : kind == 'F' ? open_file(p, err) : kind == 'D' ? give_data(p, err) : bad(err, "it is damaged");
  }
  /* Reading up to gzip's own end has its checksum looked at. */
  char more;
  if (r == 0 && gzread(p->in, &more, 1) != 0) r = bad(err, "it is damaged at its end");
  return r;
}

int repack_layer(int root, int recipe, int out, char digest[72], uint64_t *size, struct err *err) {
  struct repack *p = malloc(sizeof *p);
  int fd = fcntl(recipe, F_DUPFD_CLOEXEC, 0);
  gzFile in = p && fd >= 0 ? gzdopen(fd, "rb") : NULL;
  if (!p || !in) {
    int saved = fd < 0 ? errno : ENOMEM;
    if (fd >= 0) close(fd);
    free(p);
    return err_set(err, saved, "recipe", "%s", "");
  }
  p->in = in;
  p->out = out;
  p->file = -1;
  p->size = 0;
  tree_init(&p->tree, root);
  sha256_init(&p->sha);
  int r = replay(p, err);
  /* Tells, too, that gzip's own end was not there. */
  if (gzclose_r(p->in) != Z_OK && r == 0) r = bad(err, "it is cut off");
  if (r == 0) {
    digest_text(&p->sha, digest);
    *size = p->size;
  }
  if (p->file >= 0) close(p->file);
  tree_close(&p->tree);
  free(p);
  return r;
}
