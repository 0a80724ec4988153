/* Unpacks one image layer: see unpack.h. Reads entry after entry, sorts out whiteouts, finishes the folders. */
#include "unpack.h"

#include <inttypes.h>
#include <stdarg.h>

#include "unpack_entry.h"

/* Of a tar, POSIX ustar. */
enum { BLOCK = 512 };

void unpack_warn(struct unpack *u, const char *fmt, ...) {
  char line[1024];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(line, sizeof line, fmt, ap);
  va_end(ap);
  u->result->warnings++;
  u->options->warn(u->options->warn_arg, line);
}

void unpack_warn_xattr(void *arg, const char *path, const char *xattr, int code) {
  char shown[300], name[100];
  tarpath_show(path, shown, sizeof shown);
  tarpath_show(xattr, name, sizeof name);
  unpack_warn(arg, "%s: attribute %s left out: %s", shown, name, strerror(-code));
}

/* What libarchive said, or what broke below it. */
int unpack_archive_fail(struct unpack *u, struct err *err) {
  if (u->stream_error) {
    *err = u->stream_err;
    return u->stream_error;
  }
  char why[300];
  tarpath_show(archive_error_string(u->archive) ? archive_error_string(u->archive) : "broken", why, sizeof why);
  err_set(err, 0, "archive", "%s%s%s", u->shown ? u->shown : "", u->shown ? ": " : "", why);
  return -EBADMSG;
}

static la_ssize_t read_block(struct archive *a, void *arg, const void **ret) {
  static const char zeros[BLOCK];
  struct unpack *u = arg;
  ssize_t n = stream_next(u->stream, ret, &u->stream_err);
  if (n > 0) u->last = (size_t)n % BLOCK;
  /* `umoci insert` leaves out what fills the last file's last block, and Go's reader, so podman's and docker's, does without it. */
  if (n == 0 && u->between && u->last > 0) {
    n = (ssize_t)(BLOCK - u->last);
    u->last = 0;
    *ret = zeros;
  }
  if (n < 0) {
    u->stream_error = (int)n;
    archive_set_error(a, EIO, "%s", u->stream_err.step);
  }
  return n;
}

/* 1 for an entry, 0 at the end. */
static int next_entry(struct unpack *u, struct err *err) {
  u->shown = NULL;
  u->between = true;
  int r = archive_read_next_header2(u->archive, u->entry);
  u->between = false;
  if (r == ARCHIVE_EOF) return 0;
  if (r != ARCHIVE_OK && r != ARCHIVE_WARN) return unpack_archive_fail(u, err);
  /* We run in the C locale, in which libarchive warns of every name beyond ASCII and then gives its bytes as they are: what we want. */
  const char *text = r == ARCHIVE_WARN ? archive_error_string(u->archive) : NULL;
  if (text && !strstr(text, "can't be converted")) unpack_warn(u, "archive: %s", text);
  return 1;
}

static int take_entry(struct unpack *u, struct err *err) {
  char path[PATH_MAX], shown[400];
  const char *name, *raw = archive_entry_pathname(u->entry);
  int r = tarpath_clean(raw ? raw : "", &u->options->names, path, err);
  if (r < 0) return r;
  tarpath_show(path, shown, sizeof shown);
  u->shown = shown;
  u->path = path;
  int kind = tarpath_classify(path, err);
  if (kind < 0) return kind;
  if (kind == TARPATH_META) return 0;
  if (kind == TARPATH_ENTRY) return unpack_entry(u, path, err);
  /* Overlay never looks at a layer's root for this; who stacks the layers leaves out those below such a one. */
  if (kind == TARPATH_OPAQUE && !*path) return tree_opaque(u->tree.root, ".", err);
  int parent = tree_parent(&u->tree, path, &name, err);
  if (parent < 0) return parent;
  if (kind == TARPATH_WHITEOUT) return tree_whiteout(parent, name, err);
  r = tree_mkdir(&u->tree, parent, name, 0755, err);
  return r < 0 ? r : tree_opaque(parent, name, err);
}

static int take_all(struct unpack *u, struct err *err) {
  int r;
  while ((r = next_entry(u, err)) > 0) {
    if (++u->result->entries > u->options->max_entries) {
      err_set(err, 0, "limit", "more than %" PRIu64 " entries (--max-entries)", u->options->max_entries);
      return -E2BIG;
    }
    r = take_entry(u, err);
    if (r < 0) return r;
  }
  return r < 0 ? r : folders_finish(&u->folders, &u->tree, unpack_warn_xattr, u, err);
}

static int open_archive(struct unpack *u, struct err *err) {
  u->archive = archive_read_new();
  u->entry = archive_entry_new();
  if (!u->archive || !u->entry) return err_set(err, ENOMEM, "archive", "%s", "");
  if (archive_read_support_format_tar(u->archive) != ARCHIVE_OK || archive_read_open(u->archive, u, NULL, read_block, NULL) != ARCHIVE_OK)
    return unpack_archive_fail(u, err);
  return 0;
}

int unpack_layer(struct stream *stream, int root, const struct unpack_options *options, struct unpack_result *ret, struct err *err) {
  struct unpack u = {.options = options, .result = ret, .stream = stream};
  *ret = (struct unpack_result){0};
  tree_init(&u.tree, root);
  int r = idmap_read("/proc/self/uid_map", &u.uids, err);
  if (r == 0) r = idmap_read("/proc/self/gid_map", &u.gids, err);
  u.single = u.uids.total == 1 || u.gids.total == 1;
  if (r == 0) r = open_archive(&u, err);
  if (r == 0) r = take_all(&u, err);
  ret->replaced = u.tree.replaced;
  archive_read_free(u.archive);
  archive_entry_free(u.entry);
  tree_close(&u.tree);
  folders_free(&u.folders);
  idmap_free(&u.uids);
  idmap_free(&u.gids);
  return r;
}
