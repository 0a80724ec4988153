/* Writing a tar: see tarwrite.h. */
#include "tarwrite.h"

#include <inttypes.h>

enum { BLOCK = 512, NAME_ROOM = 100 };

/* POSIX.1-2001, pax, "ustar Interchange Format". */
struct ustar {
  char name[NAME_ROOM], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[NAME_ROOM], magic[6], version[2];
  char user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a header is a block");

/* The records of one entry, "LENGTH KEY=VALUE\n" each. */
struct pax {
  char *bytes;
  size_t len;
};

void tarwrite_init(struct tarwrite *t, int fd) {
  t->fd = fd;
  t->left = t->pad = 0;
  t->len = 0;
}

static int flush(struct tarwrite *t, struct err *err) {
  int r = write_all(t->fd, t->buffer, t->len);
  t->len = 0;
  return r < 0 ? err_set(err, -r, "write", "the tar") : 0;
}

static int put(struct tarwrite *t, const void *bytes, size_t len, struct err *err) {
  int r = 0;
  for (const uint8_t *p = bytes; r == 0 && len > 0;) {
    const size_t room = sizeof t->buffer - t->len, n = len < room ? len : room;
    if (p) {
      memcpy(t->buffer + t->len, p, n);
      p += n;
    } else {
      memset(t->buffer + t->len, 0, n);
    }
    t->len += n;
    len -= n;
    if (t->len == sizeof t->buffer) r = flush(t, err);
  }
  return r;
}

static int pax_add(struct pax *pax, const char *key, const void *value, size_t size) {
  /* The length counts its own digits. */
  const size_t body = strlen(key) + size + 3;
  size_t len = body + 1;
  char digits[24];
  while (body + (size_t)snprintf(digits, sizeof digits, "%zu", len) != len) len++;
  char *grown = realloc(pax->bytes, pax->len + len + 1);
  if (!grown) return -ENOMEM;
  pax->bytes = grown;
  char *p = grown + pax->len;
  p += sprintf(p, "%s %s=", digits, key);
  memcpy(p, value, size);
  p[size] = '\n';
  pax->len += len;
  return 0;
}

static int pax_number(struct pax *pax, const char *key, uint64_t value) {
  char text[24];
  return pax_add(pax, key, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
}

/* Seconds with their fraction; before 1970 the fraction counts away from zero in the text. */
static int pax_time(struct pax *pax, struct timespec at) {
  char text[48];
  const bool before = at.tv_sec < 0 && at.tv_nsec > 0;
  const int64_t seconds = before ? -(int64_t)at.tv_sec - 1 : (int64_t)at.tv_sec;
  const long fraction = before ? 1000000000 - at.tv_nsec : at.tv_nsec;
  int n = snprintf(text, sizeof text, "%s%" PRId64, before ? "-" : "", seconds);
  if (fraction) n += snprintf(text + n, sizeof text - (size_t)n, ".%09ld", fraction);
  return pax_add(pax, "mtime", text, (size_t)n);
}

static int pax_xattr(struct pax *pax, const struct xattr *x) {
  cleanup_free char *key = xformat("SCHILY.xattr.%s", x->name);
  return key ? pax_add(pax, key, x->value, x->size) : -ENOMEM;
}

/* A number in octal if it fits, else 0: a pax record has it then. */
static bool octal(char *field, size_t room, uint64_t value) {
  const bool fits = value < (uint64_t)1 << (3 * (room - 1));
  char text[32];
  snprintf(text, sizeof text, "%0*" PRIo64, (int)room - 1, fits ? value : 0);
  memcpy(field, text, room);
  return fits;
}

static bool name_fits(char *field, const char *name) {
  const size_t len = strlen(name);
  memcpy(field, name, len < NAME_ROOM ? len : NAME_ROOM);
  return len <= NAME_ROOM;
}

static void seal(struct ustar *h) {
  memcpy(h->magic, "ustar", 6);
  memcpy(h->version, "00", 2);
  memset(h->sum, ' ', sizeof h->sum);
  unsigned sum = 0;
  for (size_t i = 0; i < BLOCK; i++) sum += ((const uint8_t *)h)[i];
  snprintf(h->sum, sizeof h->sum, "%06o", sum);
}

static int put_pax(struct tarwrite *t, const struct pax *pax, struct err *err) {
  struct ustar h = {.name = "././@PaxHeader", .type = 'x'};
  octal(h.mode, sizeof h.mode, 0644);
  octal(h.uid, sizeof h.uid, 0);
  octal(h.gid, sizeof h.gid, 0);
  octal(h.size, sizeof h.size, pax->len);
  octal(h.mtime, sizeof h.mtime, 0);
  seal(&h);
  int r = put(t, &h, sizeof h, err);
  if (r == 0) r = put(t, pax->bytes, pax->len, err);
  return r == 0 ? put(t, NULL, (BLOCK - pax->len % BLOCK) % BLOCK, err) : r;
}

/* The header, and in `pax` what it has no room for. */
static int describe(const struct tarwrite_entry *e, struct ustar *h, struct pax *pax) {
  const bool plain_time = e->mtime.tv_sec >= 0 && e->mtime.tv_nsec == 0;
  h->type = e->type;
  octal(h->mode, sizeof h->mode, e->mode & 07777);
  int r = name_fits(h->name, e->path) ? 0 : pax_add(pax, "path", e->path, strlen(e->path));
  if (r == 0 && e->link && !name_fits(h->link, e->link)) r = pax_add(pax, "linkpath", e->link, strlen(e->link));
  if (r == 0 && !octal(h->uid, sizeof h->uid, e->uid)) r = pax_number(pax, "uid", e->uid);
  if (r == 0 && !octal(h->gid, sizeof h->gid, e->gid)) r = pax_number(pax, "gid", e->gid);
  if (r == 0 && !octal(h->size, sizeof h->size, e->size)) r = pax_number(pax, "size", e->size);
  if (!octal(h->mtime, sizeof h->mtime, e->mtime.tv_sec < 0 ? 0 : (uint64_t)e->mtime.tv_sec) || !plain_time)
    r = r == 0 ? pax_time(pax, e->mtime) : r;
  for (const struct xattr *x = e->xattrs; r == 0 && x; x = x->next) r = pax_xattr(pax, x);
  seal(h);
  return r;
}

int tarwrite_entry(struct tarwrite *t, const struct tarwrite_entry *e, struct err *err) {
  struct ustar h = {0};
  struct pax pax = {0};
  int r = t->left ? err_set(err, 0, "tar", "%s", "a file's content is not whole"), -EINVAL : describe(e, &h, &pax);
  if (r == -ENOMEM) err_set(err, ENOMEM, "tar", "%s", "");
  if (r == 0 && pax.len) r = put_pax(t, &pax, err);
  free(pax.bytes);
  if (r == 0) r = put(t, &h, sizeof h, err);
  t->left = e->size;
  t->pad = (BLOCK - e->size % BLOCK) % BLOCK;
  return r;
}

int tarwrite_data(struct tarwrite *t, const void *bytes, size_t len, struct err *err) {
  if (len > t->left) return err_set(err, 0, "tar", "%s", "a file's content is too long"), -EINVAL;
  int r = put(t, bytes, len, err);
  t->left -= len;
  if (r == 0 && t->left == 0) {
    r = put(t, NULL, (size_t)t->pad, err);
    t->pad = 0;
  }
  return r;
}

int tarwrite_finish(struct tarwrite *t, struct err *err) {
  int r = put(t, NULL, (size_t)2 * BLOCK, err);
  return r == 0 ? flush(t, err) : r;
}
