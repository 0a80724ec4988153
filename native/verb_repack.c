/*
 * podrt repack: an unpacked layer's tar on standard output, made again by the recipe that podrt layer wrote, inside the user namespace.
 * The recipe `-` is standard input, also uncompressed: podman's layers have theirs in another form.
 *
 * With --check nothing is written but what was found: the digest of the tree (treesum.h), and, when there is a recipe, that of the tar.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>

#include "lib/digest.h"
#include "lib/repack.h"
#include "lib/treesum.h"
#include "lib/userns.h"
#include "verbs.h"

struct options {
  const char *layer, *recipe, *diff_id;
  bool check;
};

static const char usage[] =
    "usage: podrt repack --layer DIR --recipe FILE [--diff-id sha256:HEX]\n"
    "       podrt repack --layer DIR --check [--recipe FILE] [--diff-id sha256:HEX]\n";

static int parse(int argc, char **argv, struct options *o) {
  enum { LAYER = 1, RECIPE, DIFF_ID, CHECK };
  static const struct option words[] = {
      {"layer", required_argument, NULL, LAYER},
      {"recipe", required_argument, NULL, RECIPE},
      {"diff-id", required_argument, NULL, DIFF_ID},
      {"check", no_argument, NULL, CHECK},
      {0},
  };
  for (int c; (c = getopt_long(argc, argv, "", words, NULL)) != -1;) switch (c) {
      case LAYER:
        o->layer = optarg;
        break;
      case RECIPE:
        o->recipe = optarg;
        break;
      case DIFF_ID:
        o->diff_id = optarg;
        break;
      case CHECK:
        o->check = true;
        break;
      default:
        return -EINVAL;
    }
  return optind == argc && o->layer && (o->check || o->recipe) && (o->recipe || !o->diff_id) ? 0 : -EINVAL;
}

static int remake(const struct options *o, int root, char *digest, uint64_t *size, struct err *err) {
  bool piped = strcmp(o->recipe, "-") == 0;
  cleanup_fd int recipe = piped ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(o->recipe, O_RDONLY | O_CLOEXEC);
  if (recipe < 0) return err_set(err, errno, "recipe", "%s", o->recipe);
  int r = repack_layer(root, recipe, o->check ? -1 : STDOUT_FILENO, digest, size, err);
  if (r == 0 && o->diff_id && strcmp(o->diff_id, digest) != 0) {
    err_set(err, 0, "altered", "the layer packs to %s, not to %s", digest, o->diff_id);
    r = -EBADMSG;
  }
  return r;
}

static int repack(const struct options *o, struct err *err) {
  struct userns_map map = {0};
  char digest[DIGEST_TEXT] = "", tree[DIGEST_TEXT] = "";
  uint64_t size = 0, entries = 0;
  bool aufs = false;
  int r = userns_enter(&map, err);
  if (r < 0) return r;
  signal(SIGPIPE, SIG_IGN);
  cleanup_fd int root = open(o->layer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (root < 0) return err_set(err, errno, "layer", "%s", o->layer);
  if (o->check) r = treesum(root, tree, &entries, &aufs, err);
  if (r == 0 && o->recipe) r = remake(o, root, digest, &size, err);
  if (r < 0 || !o->check) return r;
  int n = printf("{\"tree\":\"%s\",\"entries\":%" PRIu64 ",\"aufs\":%s", tree, entries, aufs ? "true" : "false");
  if (n >= 0 && o->recipe) n = printf(",\"diffId\":\"%s\",\"size\":%" PRIu64, digest, size);
  if (n < 0 || puts("}") < 0 || fflush(stdout) != 0) return err_set(err, errno, "stdout", "%s", "");
  return 0;
}

int verb_repack(int argc, char **argv) {
  struct options o = {0};
  struct err err = {0};
  if (parse(argc, argv, &o) < 0) {
    fputs(usage, stderr);
    return 64;
  }
  if (repack(&o, &err) < 0) {
    err_print(&err, "repack");
    return 125;
  }
  return 0;
}
