/* Writing down what a layer was made of: see recipe.h. */
#include "recipe.h"

#include <limits.h>
#include <zlib.h>

struct recipe {
  gzFile out;
  bool failed;
  const uint8_t *block; /* of the stream; borrowed */
  size_t len, done;     /* done: so much of it is written down */
  char path[PATH_MAX];  /* the file of the last `F` */
  uint64_t offset, run; /* a `D` that may still grow; run is 0 when there is none */
};

int recipe_new(int fd, struct recipe **ret, struct err *err) {
  struct recipe *r = calloc(1, sizeof *r);
  /* Level 1: headers shrink to a tenth by it already, and unpacking waits for us. */
  gzFile out = r ? gzdopen(fd, "wb1") : NULL;
  if (!out) {
    free(r);
    close(fd);
    return err_set(err, ENOMEM, "recipe", "%s", "");
  }
  r->out = out;
  r->failed = gzbuffer(out, 128 * 1024) < 0 || gzputs(out, RECIPE_MAGIC) < 0;
  *ret = r;
  return 0;
}

static void put(struct recipe *r, const void *bytes, size_t len) {
  if (len && !r->failed) r->failed = gzwrite(r->out, bytes, (unsigned)len) != (int)len;
}

static void put_number(struct recipe *r, uint64_t n) {
  uint8_t bytes[10];
  size_t len = 0;
  do {
    bytes[len++] = (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    n >>= 7;
  } while (n);
  put(r, bytes, len);
}

static void end_run(struct recipe *r) {
  if (!r->run) return;
  put(r, "D", 1);
  put_number(r, r->offset);
  put_number(r, r->run);
  r->run = 0;
}

/* The block up to `end`, as it is. */
static void keep_until(struct recipe *r, size_t end) {
  if (end > r->done) end_run(r);
  while (r->done < end) {
    size_t n = end - r->done < RECIPE_PIECE ? end - r->done : RECIPE_PIECE;
    put(r, "L", 1);
    put_number(r, n);
    put(r, r->block + r->done, n);
    r->done += n;
  }
}

void recipe_block(void *recipe, const void *bytes, size_t len) {
  struct recipe *r = recipe;
  keep_until(r, r->len);
  r->block = bytes;
  r->len = len;
  r->done = 0;
}

void recipe_data(struct recipe *r, const char *path, const void *bytes, size_t len, int64_t offset) {
  uintptr_t at = (uintptr_t)bytes, block = (uintptr_t)r->block;
  size_t path_len = strlen(path);
  if (at < block + r->done || at > block + r->len || len > block + r->len - at || offset < 0 || len == 0) return;
  if (path_len >= sizeof r->path) return;
  keep_until(r, at - block);
  if (strcmp(path, r->path) != 0) {
    end_run(r);
    put(r, "F", 1);
    put_number(r, path_len);
    put(r, path, path_len);
    memcpy(r->path, path, path_len + 1);
  }
  if (r->run && r->offset + r->run != (uint64_t)offset) end_run(r);
  if (!r->run) r->offset = (uint64_t)offset;
  r->run += len;
  r->done += len;
}

int recipe_finish(struct recipe *r, struct err *err) {
  keep_until(r, r->len);
  end_run(r);
  put(r, "E", 1);
  errno = 0;
  int closed = gzclose_w(r->out);
  r->out = NULL;
  if (!r->failed && closed == Z_OK) return 0;
  return err_set(err, errno ? errno : EIO, "write", "the layer's recipe");
}

void recipe_free(struct recipe *r) {
  if (!r) return;
  if (r->out) (void)gzclose_w(r->out);
  free(r);
}
