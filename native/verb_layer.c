/*
 * podrt layer: unpacks one image layer into a new folder, inside the user namespace; or, with --shift, copies one that is unpacked for a
 * pod with a user namespace of its own.
 *
 * The folder appears under its name only when it is whole: the work is done in DIR.tmp-PID beside it, renamed at the end
 * and removed when anything fails or, but for --shift, a signal comes. What is left of a kill, DIR.tmp-PID, is the caller's to remove
 * (podrt rmtree).
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "lib/digest.h"
#include "lib/number.h"
#include "lib/rmtree.h"
#include "lib/rootfs.h"
#include "lib/treesum.h"
#include "lib/unpack.h"
#include "lib/userns.h"
#include "verbs.h"

enum { WARNINGS_SHOWN = 20 };

struct options {
  const char *dest, *blob, *diff_id, *recipe, *shift, *map;
  bool sync;
  struct stream_limits stream;
  struct unpack_options unpack;
};

/* Where the layer goes. */
struct place {
  int parent; /* the folder DIR is in */
  char *name; /* DIR's last part */
  char *tmp;  /* the name it is made under */
};

static const char usage[] =
    "usage: podrt layer --dest DIR [--blob FILE] [--diff-id sha256:HEX] [--recipe FILE] [--sync]\n"
    "                   [--max-bytes N[KMGT]] [--max-entries N] [--max-ratio N] [--max-name N] [--max-depth N]\n"
    "       podrt layer --dest DIR --shift LAYER --map JSON [--sync]\n";

static int parse(int argc, char **argv, struct options *o) {
  enum { DEST = 1, BLOB, DIFF_ID, RECIPE, SYNC, BYTES, ENTRIES, RATIO, NAME, DEPTH, SHIFT, MAP };
  static const struct option words[] = {
      {"dest", required_argument, NULL, DEST},
      {"blob", required_argument, NULL, BLOB},
      {"diff-id", required_argument, NULL, DIFF_ID},
      {"sync", no_argument, NULL, SYNC},
      {"max-bytes", required_argument, NULL, BYTES},
      {"max-entries", required_argument, NULL, ENTRIES},
      {"max-ratio", required_argument, NULL, RATIO},
      {"max-name", required_argument, NULL, NAME},
      {"max-depth", required_argument, NULL, DEPTH},
      {"recipe", required_argument, NULL, RECIPE},
      {"shift", required_argument, NULL, SHIFT},
      {"map", required_argument, NULL, MAP},
      {0},
  };
  uint64_t bytes = (uint64_t)64 << 30, entries = 2000000, ratio = 200, name = PATH_MAX - 1, depth = 256;
  int r = 0;
  for (int c; r == 0 && (c = getopt_long(argc, argv, "", words, NULL)) != -1;) switch (c) {
      case DEST:
        o->dest = optarg;
        break;
      case BLOB:
        o->blob = optarg;
        break;
      case DIFF_ID:
        o->diff_id = optarg;
        break;
      case RECIPE:
        o->recipe = optarg;
        break;
      case SYNC:
        o->sync = true;
        break;
      case SHIFT:
        o->shift = optarg;
        break;
      case MAP:
        o->map = optarg;
        break;
      case BYTES:
        r = number_parse(optarg, true, 1, INT64_MAX, &bytes);
        break;
      case ENTRIES:
        r = number_parse(optarg, false, 1, UINT32_MAX, &entries);
        break;
      case RATIO:
        r = number_parse(optarg, false, 1, UINT32_MAX, &ratio);
        break;
      case NAME:
        r = number_parse(optarg, false, 1, PATH_MAX - 1, &name);
        break;
      case DEPTH:
        r = number_parse(optarg, false, 1, PATH_MAX, &depth);
        break;
      default:
        return -EINVAL;
    }
  if (r < 0 || optind != argc || !o->dest || !*o->dest || !o->shift != !o->map) return -EINVAL;
  if (o->shift && (o->blob || o->diff_id || o->recipe)) return -EINVAL;
  o->stream = (struct stream_limits){.bytes = bytes, .ratio = ratio};
  o->unpack = (struct unpack_options){.names = {.name = name, .depth = (unsigned)depth}, .max_entries = entries, .max_bytes = bytes};
  return 0;
}

static void print_warning(void *arg, const char *line) {
  unsigned *n = arg;
  if (++*n <= WARNINGS_SHOWN) fprintf(stderr, "podrt: layer: warning: %s\n", line);
}

/* --- signals: the reading thread sees `stop` and ends the stream, and all is undone on the usual way ---------------- */

static int stop_fd = -1;

static void on_signal(int sig) {
  (void)sig;
  int saved = errno;
  (void)eventfd_write(stop_fd, 1);
  errno = saved;
}

static int catch_signals(struct err *err) {
  const int signals[] = {SIGTERM, SIGINT, SIGHUP};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop_fd < 0) return err_set(err, errno, "eventfd", "%s", "");
  for (size_t i = 0; i < N_ELEMENTS(signals); i++) sigaction(signals[i], &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  return 0;
}

/* --- the folder ---------------------------------------------------------------------------------------------------- */

static int place_open(const char *dest, struct place *ret, struct err *err) {
  cleanup_free char *copy = strdup(dest);
  if (!copy) return err_set(err, ENOMEM, "dest", "%s", dest);
  size_t len = strlen(copy);
  while (len > 1 && copy[len - 1] == '/') copy[--len] = 0;
  char *slash = strrchr(copy, '/');
  const char *name = slash ? slash + 1 : copy, *folder = slash == copy ? "/" : slash ? copy : ".";
  if (!*name || !strcmp(name, ".") || !strcmp(name, "..")) return err_set(err, EINVAL, "dest", "%s", dest);
  ret->name = strdup(name);
  ret->tmp = xformat("%s.tmp-%d", name, (int)getpid());
  if (!ret->name || !ret->tmp) return err_set(err, ENOMEM, "dest", "%s", dest);
  if (slash && slash != copy) *slash = 0;
  ret->parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return ret->parent < 0 ? err_set(err, errno, "dest", "%s", folder) : 0;
}

/* Makes the folder as if nothing of its surroundings were there: a set-group-ID parent or default ACLs would spread into the layer. */
static int place_make(const struct place *p, struct err *err) {
  if (mkdirat(p->parent, p->tmp, 0700) < 0) return err_set(err, errno, "dest", "%s", p->tmp);
  int fd = openat(p->parent, p->tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return err_set(err, errno, "dest", "%s", p->tmp);
  (void)fremovexattr(fd, "system.posix_acl_default");
  (void)fremovexattr(fd, "system.posix_acl_access");
  if (fchown(fd, 0, 0) < 0 || fchmod(fd, 0755) < 0) {
    int saved = errno;
    close(fd);
    return err_set(err, saved, "dest", "%s", p->tmp);
  }
  return fd;
}

/* Gives the folder its name; what stands there may only be an empty folder. Afterwards a power cut takes all of it or nothing. */
static int place_keep(const struct place *p, int root, bool sync, struct err *err) {
  if (sync && syncfs(root) < 0) return err_set(err, errno, "sync", "%s", p->name);
  if (renameat(p->parent, p->tmp, p->parent, p->name) < 0) return err_set(err, errno, "dest", "%s", p->name);
  if (sync && fsync(p->parent) < 0) return err_set(err, errno, "sync", "%s", p->name);
  return 0;
}

static void place_free(struct place *p) {
  if (p->parent >= 0) close(p->parent);
  free(p->name);
  free(p->tmp);
}

/* --- all of it ----------------------------------------------------------------------------------------------------- */

/* What the caller is told. */
struct outcome {
  struct unpack_result unpacked;
  char digest[DIGEST_TEXT], tree[DIGEST_TEXT];
  uint64_t size, things;
};

static int unpack_into(const struct options *o, int blob, int root, struct outcome *ret, struct err *err) {
  struct stream *stream;
  int r = stream_open(blob, stop_fd, &o->stream, &stream, err);
  if (r < 0) return r;
  if (o->unpack.recipe) stream_tap(stream, recipe_block, o->unpack.recipe);
  r = unpack_layer(stream, root, &o->unpack, &ret->unpacked, err);
  if (r == 0) r = stream_finish(stream, ret->digest, &ret->size, err);
  stream_free(stream);
  if (r == 0 && o->diff_id && strcmp(o->diff_id, ret->digest) != 0) {
    err_set(err, 0, "digest", "the layer unpacks to %s, not to %s", ret->digest, o->diff_id);
    r = -EBADMSG;
  }
  return r;
}

/* The same with a recipe beside it, which must be new; what an entry replaced is in no file any more, and then there is none. */
static int unpack_with_recipe(struct options *o, int blob, int root, struct outcome *ret, struct err *err) {
  if (!o->recipe) return unpack_into(o, blob, root, ret, err);
  int fd = open(o->recipe, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return err_set(err, errno, "recipe", "%s", o->recipe);
  int r = recipe_new(fd, &o->unpack.recipe, err);
  if (r == 0) r = unpack_into(o, blob, root, ret, err);
  if (r == 0) r = recipe_finish(o->unpack.recipe, err);
  if (r == 0) r = treesum(root, ret->tree, &ret->things, NULL, err);
  recipe_free(o->unpack.recipe);
  o->unpack.recipe = NULL;
  if (r < 0 || ret->unpacked.replaced) (void)unlink(o->recipe);
  return r;
}

static int tell(const struct options *o, const struct outcome *out, struct err *err) {
  int n = printf("{\"diffId\":\"%s\",\"size\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"warnings\":%" PRIu64, out->digest, out->size,
                 out->unpacked.entries, out->unpacked.warnings);
  if (n >= 0 && o->recipe)
    n = printf(",\"tree\":\"%s\",\"things\":%" PRIu64 ",\"recipe\":%s", out->tree, out->things, out->unpacked.replaced ? "false" : "true");
  if (n < 0 || puts("}") < 0 || fflush(stdout) != 0) return err_set(err, errno, "stdout", "%s", "");
  return 0;
}

static int layer(struct options *o, struct err *err) {
  struct userns_map map = {0};
  struct outcome out = {0};
  unsigned warned = 0;
  o->unpack.warn = print_warning;
  o->unpack.warn_arg = &warned;

  cleanup_fd int blob = o->blob ? open(o->blob, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
  if (blob < 0) return err_set(err, errno, "blob", "%s", o->blob ? o->blob : "stdin");
  int r = catch_signals(err);
  if (r == 0) r = userns_enter(&map, err);
  if (r < 0) return r;
  if (map.single) o->unpack.single_reason = map.reason;
  umask(0);

  __attribute__((cleanup(place_free))) struct place place = {.parent = -1};
  if ((r = place_open(o->dest, &place, err)) < 0) return r;
  cleanup_fd int root = place_make(&place, err);
  if (root < 0) return root;
  r = unpack_with_recipe(o, blob, root, &out, err);
  if (r == 0 && (r = place_keep(&place, root, o->sync, err)) < 0 && o->recipe) (void)unlink(o->recipe);
  if (r < 0) {
    (void)rmtree_at(place.parent, place.tmp, NULL);
    return r;
  }
  if (warned > WARNINGS_SHOWN) fprintf(stderr, "podrt: layer: and %u more warnings\n", warned - WARNINGS_SHOWN);
  return tell(o, &out, err);
}

static int shift(const struct options *o, struct err *err) {
  struct userns_map map = {0};
  struct podids ids;
  int r = podids_parse(o->map, "--map", &ids, err);
  if (r == 0) r = userns_enter(&map, err);
  if (r < 0) return r;
  umask(0);
  __attribute__((cleanup(place_free))) struct place place = {.parent = -1};
  if ((r = place_open(o->dest, &place, err)) < 0) return r;
  cleanup_fd int root = place_make(&place, err);
  if (root < 0) return root;
  r = rootfs_shift_layer(o->shift, root, &ids, err);
  if (r == 0) r = place_keep(&place, root, o->sync, err);
  if (r < 0) (void)rmtree_at(place.parent, place.tmp, NULL);
  return r;
}

int verb_layer(int argc, char **argv) {
  struct options o = {0};
  struct err err = {0};
  if (parse(argc, argv, &o) < 0) {
    fputs(usage, stderr);
    return 64;
  }
  if ((o.shift ? shift(&o, &err) : layer(&o, &err)) < 0) {
    err_print(&err, "layer");
    return 125;
  }
  return 0;
}
